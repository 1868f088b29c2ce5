namespace Microsoft.ML.KagPrompt.Results.Files;

/// <summary>A file as it was listed.</summary>
/// <param name="Files">Where it is.</param>
/// <param name="Hash">Its name.</param>
/// <param name="Recorded">When it was recorded last, in UTC.</param>
/// <param name="Length">Bytes.</param>
internal sealed record ContentFile(ContentFiles Files, string Hash, DateTime Recorded, long Length);
