using System.Globalization;

namespace Microsoft.ML.KagPrompt.Results.Export;

/// <summary>A result as a line of comma-separated values.</summary>
internal static class CsvRow
{
    // One list: names and cells cannot part.
    private static readonly (string Name, Func<StoredResult, object?> Cell)[] Columns =
    [
        ("id", result => result.Id),
        ("time", result => result.Time),
        ("product", result => result.Product),
        ("line", result => result.Line),
        ("station", result => result.Station),
        ("model_version", result => result.ModelVersion),
        ("model_hash", result => result.ModelHash),
        ("score", result => result.Score),
        ("probability", result => result.Probability),
        ("threshold", result => result.Threshold),
        ("is_anomalous", result => result.IsAnomalous),
        ("is_foreign", result => result.IsForeign),
        ("reason", result => result.Reason),
        ("cycle_seconds", result => result.CycleTime?.TotalSeconds),
        ("picture_hash", result => result.PictureHash),
        ("map_hash", result => result.MapHash),
        ("feedback", result => result.Feedback.ToString()),
        ("feedback_by", result => result.FeedbackBy),
        ("feedback_at", result => result.FeedbackAt),
    ];

    public static string Header { get; } = string.Join(',', Columns.Select(column => column.Name));

    public static string Format(StoredResult result) => string.Join(',', Columns.Select(column => column.Cell(result) switch
    {
        null => "",
        // Only texts are of strangers; a negative number is a number.
        string text => Quoted(Inert(text)),
        bool flag => flag ? "true" : "false",
        DateTimeOffset time => time.UtcDateTime.ToString("O", CultureInfo.InvariantCulture),
        var number => Convert.ToString(number, CultureInfo.InvariantCulture),
    }));

    private static string Inert(string cell) => cell is ['=' or '+' or '-' or '@' or '\t' or '\r', ..] ? $"'{cell}" : cell;

    private static string Quoted(string cell)
        => cell.AsSpan().ContainsAny(",\"\r\n") ? $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : cell;
}
