namespace Microsoft.ML.KagPrompt.Orleans;

/// <summary>A picture by its content: what passes between machines instead of its bytes.</summary>
/// <param name="Sha256">SHA-256 of the picture's file, 64 hexadecimal digits in small letters.</param>
/// <remarks>Immutable. It names no path: each silo looks the picture up in its own <see cref="IPictureStore"/>.</remarks>
[GenerateSerializer, Immutable, Alias("kagprompt.picture")]
public sealed record PictureReference([property: Id(0)] string Sha256);
