namespace Microsoft.ML.KagPrompt.Results.AspNetCore.Endpoints;

/// <summary>Whether results are taken.</summary>
/// <param name="Status">"ok", or "filling" once the journal is more than half full.</param>
/// <param name="Pending">Results that wait for the database.</param>
internal sealed record Health(string Status, long Pending);
