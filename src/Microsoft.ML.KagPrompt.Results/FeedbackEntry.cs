namespace Microsoft.ML.KagPrompt.Results;

/// <summary>One saying of a person about a result; all of them are kept.</summary>
/// <param name="Kind">What was said.</param>
/// <param name="By">By whom.</param>
/// <param name="At">When, in UTC.</param>
public sealed record FeedbackEntry(FeedbackKind Kind, string By, DateTimeOffset At);
