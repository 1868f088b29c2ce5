using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.KagPrompt.Methods.Common;

/// <summary>
/// One-dimensional adaptive average pooling: n numbers to D, output i the mean of inputs ⌊i·n/D⌋ up to ⌈(i+1)·n/D⌉, the last left out.
/// </summary>
internal static class AdaptivePooling
{
    /// <summary>[A, B, n] → [A, B, D]. The caller owns it.</summary>
    public static Tensor Average(Tensor values, int outputs) => functional.adaptive_avg_pool1d(values, outputs);
}
