namespace Microsoft.ML.KagPrompt.Results.AspNetCore.Endpoints;

/// <summary>Whether results are taken.</summary>
/// <param name="Status">"ok"; "filling" once the journal is more than half full; "clock" while the machine's clock is not believed.</param>
/// <param name="Pending">Results that wait for the database.</param>
internal sealed record Health(string Status, long Pending);
