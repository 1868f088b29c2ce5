namespace Microsoft.ML.KagPrompt.Results;

/// <summary>Some results, and where the next ones begin.</summary>
/// <param name="Results">In the order that was asked for.</param>
/// <param name="Next">To be handed in for the page that follows; null: this is the last one.</param>
public sealed record ResultPage(IReadOnlyList<StoredResult> Results, string? Next);
