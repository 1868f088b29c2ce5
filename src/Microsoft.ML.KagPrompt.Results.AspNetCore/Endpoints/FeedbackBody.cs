using System.ComponentModel;

namespace Microsoft.ML.KagPrompt.Results.AspNetCore.Endpoints;

/// <summary>What a person says of a result.</summary>
internal sealed record FeedbackBody
{
    [Description("None (taken back), FalseAlarm, Missed or Confirmed.")]
    public required FeedbackKind Kind { get; init; }

    [Description("Who says it; left out: the name of the key.")]
    public string? By { get; init; }
}
