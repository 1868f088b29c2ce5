using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Onnx.Tests;

/// <summary>What exported models are held against their models on: ten pictures of three sizes, good and defective ones, and one of noise.</summary>
internal static class QueryPictures
{
    /// <param name="side">S of the model: four have this size, three are wider than high, three higher than wide.</param>
    public static PixelBuffer[] Of(int side) =>
    [
        TestImages.Part(side, side, 7), TestImages.Part(side, side, 8, defective: true), TestImages.Part(side, side, 9), TestImages.Part(side, side, 10, defective: true),
        TestImages.Part(180, 120, 11), TestImages.Part(180, 120, 12, defective: true), TestImages.Noise(180, 120, 13),
        TestImages.Part(97, 131, 14), TestImages.Part(97, 131, 15, defective: true), TestImages.Part(97, 131, 16),
    ];
}
