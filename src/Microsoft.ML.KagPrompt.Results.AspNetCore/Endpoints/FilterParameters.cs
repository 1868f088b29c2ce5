using System.ComponentModel;

namespace Microsoft.ML.KagPrompt.Results.AspNetCore.Endpoints;

/// <summary>A filter as a query string has it.</summary>
internal sealed class FilterParameters
{
    [Description("The product's name, exactly.")]
    public string? Product { get; init; }

    [Description("Earliest time, inclusive (ISO 8601).")]
    public DateTimeOffset? From { get; init; }

    [Description("Latest time, exclusive (ISO 8601).")]
    public DateTimeOffset? To { get; init; }

    [Description("Passed, Anomalous or Foreign.")]
    public ResultVerdict? Verdict { get; init; }

    [Description("None, FalseAlarm, Missed or Confirmed.")]
    public FeedbackKind? Feedback { get; init; }

    [Description("The line's name, exactly.")]
    public string? Line { get; init; }

    [Description("The station's name, exactly.")]
    public string? Station { get; init; }

    public ResultFilter ToFilter() => new()
    {
        Product = Name(Product),
        From = From,
        To = To,
        Verdict = Verdict,
        Feedback = Feedback,
        Line = Name(Line),
        Station = Name(Station),
    };

    // PostgreSQL takes no zero in a text, not even in a question.
    private static string? Name(string? text) => text is null || !text.Contains('\0') ? text
        : throw new ArgumentException("Names: expected no control characters.");
}
