using Microsoft.ML.KagPrompt.Imaging;

namespace Microsoft.ML.KagPrompt;

/// <summary>A normal image with defects drawn into it, and where they are.</summary>
/// <param name="Image">The altered picture, of the destination's size.</param>
/// <param name="Label">Strength of the defect for each pixel, row by row, in 0..1; 0 where nothing changed.</param>
/// <param name="Mask">Whether the label exceeds <see cref="SynthesisOptions.LabelThreshold"/>, row by row.</param>
/// <param name="HasDefect">Whether the mask holds any pixel. False when every draw stayed below what a person would see.</param>
/// <param name="Draws">How often the image was drawn until it kept a label.</param>
public sealed record SyntheticImage(PixelBuffer Image, float[] Label, bool[] Mask, bool HasDefect, int Draws);
