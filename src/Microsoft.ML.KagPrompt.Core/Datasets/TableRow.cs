using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt.Datasets;

/// <summary>A row of a data set's table, its values by the header's names in lower case.</summary>
internal sealed class TableRow(string path, long number, IReadOnlyDictionary<string, string> values)
{
    /// <summary>A value; null where there is none or it is empty.</summary>
    public string? Find(string name) => values.TryGetValue(name, out var value) && !string.IsNullOrWhiteSpace(value) ? value.Trim() : null;

    public string Require(string name) => Find(name)
        ?? throw Wrong(name, "a value", values.ContainsKey(name) ? "an empty one" : $"columns {string.Join(", ", values.Keys)}");

    /// <summary>Where a path of the table leads; those of other systems are understood.</summary>
    public string PathIn(string folder, string relative) => Path.Combine(folder, relative.Replace('\\', '/'));

    /// <summary>train, validation or test; train where nothing is said.</summary>
    public DatasetSplit Split() => Find("split")?.ToLowerInvariant() switch
    {
        null or "train" => DatasetSplit.Train,
        "validation" or "val" => DatasetSplit.Validation,
        "test" => DatasetSplit.Test,
        var other => throw Wrong("split", "train, validation or test", other),
    };

    public InsufficientDataException Wrong(string name, string expected, string got)
        => new($"{path}, line {number}: '{name}': expected {expected}, got '{got}'.");
}
