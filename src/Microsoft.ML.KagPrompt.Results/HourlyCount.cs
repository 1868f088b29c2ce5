namespace Microsoft.ML.KagPrompt.Results;

/// <summary>How many results one hour had.</summary>
/// <param name="Hour">The hour's beginning, in UTC.</param>
/// <param name="Total">All results.</param>
/// <param name="Anomalous">The rejected ones among them, foreign ones included.</param>
/// <param name="Foreign">The foreign ones among them.</param>
public sealed record HourlyCount(DateTimeOffset Hour, int Total, int Anomalous, int Foreign);
