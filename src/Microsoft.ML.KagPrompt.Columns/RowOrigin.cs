using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt;

/// <summary>A row's image path, for messages, where one of its texts tells it.</summary>
internal sealed class RowOrigin
{
    private static readonly string[] Endings = [".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff"];

    private readonly (string Column, Func<string?> Read)[] texts;

    public RowOrigin(DataViewRow row, IEnumerable<DataViewSchema.Column> texts)
        => this.texts = [.. texts.Where(row.IsColumnActive).Select(column => (column.Name, ColumnReaders.Text(row, column)))];

    /// <summary>" (ImagePath 'a.png')" of the current row, or nothing. Reads the texts: ask only where there is something to say.</summary>
    public string Paths
    {
        get
        {
            var paths = texts.Select(text => (text.Column, Value: TryRead(text.Read))).Where(text => IsPath(text.Value))
                .Select(text => $"{text.Column} '{text.Value}'").ToArray();
            return paths.Length == 0 ? "" : $" ({string.Join(", ", paths)})";
        }
    }

    /// <summary>
    /// "a.png": the file's name of the current row's first path, or null. No more of it: a saved model keeps it, and names no folder.
    /// </summary>
    public string? File => texts.Select(text => TryRead(text.Read)).FirstOrDefault(IsPath) is { } path
        ? path.Split('/', '\\')[^1]
        : null;

    /// <summary>The columns that may tell.</summary>
    public static IEnumerable<DataViewSchema.Column> TextsOf(DataViewSchema schema)
        => schema.Where(column => !column.IsHidden && column.Type is TextDataViewType);

    private static bool IsPath(string? text) => text is not null
        && Endings.Any(ending => text.EndsWith(ending, StringComparison.OrdinalIgnoreCase));

    private static string? TryRead(Func<string?> read)
    {
        try
        {
            return read();
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            // A text that cannot be read must not hide what the message is about.
            return null;
        }
    }
}
