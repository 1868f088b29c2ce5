namespace Microsoft.ML.KagPrompt.Backbones;

/// <summary>A file that holds a vision tower, known by its content.</summary>
/// <param name="FileName">What it was called.</param>
/// <param name="Length">Its bytes.</param>
/// <param name="Sha256">Their SHA-256, lower-case hexadecimal.</param>
internal sealed record VisionReference(string FileName, long Length, string Sha256);
