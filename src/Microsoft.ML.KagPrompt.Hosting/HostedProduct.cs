namespace Microsoft.ML.KagPrompt.Hosting;

/// <summary>How a product stands.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Version">The version of the model that serves it; null: none does.</param>
/// <param name="Waiting">Requests that wait, being read, decoded or queued.</param>
/// <param name="LoadFault">Why the newest model could not be loaded; null: it was.</param>
/// <param name="ScoringFault">Why the last batch failed, where no image was at fault; null: it did not.</param>
/// <remarks>Immutable; how it stood when it was asked for.</remarks>
public sealed record HostedProduct(string Name, string? Version, int Waiting, string? LoadFault, string? ScoringFault);
