namespace Microsoft.ML.KagPrompt;

/// <summary>What an image file says of itself before it is decoded.</summary>
/// <param name="Format">"PNG", "JPEG", "BMP", "WebP" or "GIF", told by its content.</param>
/// <param name="Width">Columns, as stored.</param>
/// <param name="Height">Rows, as stored.</param>
/// <param name="Orientation">EXIF's tag, 1 to 8: how it is to be turned; 1: not.</param>
/// <param name="Frames">1, or more in a moving picture, of which the first is read.</param>
/// <param name="HasAlpha">Whether it has transparency, which is dropped.</param>
/// <param name="BitsPerSample">1 to 16; of 16 the high byte is read.</param>
/// <param name="IsLossy">Whether values near edges are blurred, as in JPEG.</param>
public sealed record ImageFileInfo(
    string Format, int Width, int Height, int Orientation, int Frames, bool HasAlpha, int BitsPerSample, bool IsLossy);
