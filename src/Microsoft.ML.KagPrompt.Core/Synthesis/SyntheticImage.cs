using Microsoft.ML.KagPrompt.Imaging;

namespace Microsoft.ML.KagPrompt.Synthesis;

/// <summary>A normal image with synthetic defects.</summary>
/// <param name="Image">The picture.</param>
/// <param name="Label">How strongly each pixel changed, 0..1, row by row.</param>
/// <param name="Mask">Where the label exceeds 0.3.</param>
internal sealed record SyntheticImage(PixelBuffer Image, float[] Label, bool[] Mask)
{
    public bool HasDefect { get; } = Mask.Contains(true);
}
