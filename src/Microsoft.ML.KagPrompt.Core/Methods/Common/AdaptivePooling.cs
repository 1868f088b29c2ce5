using Microsoft.ML.KagPrompt.Onnx;
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

    /// <summary>The same in ONNX operators: [N, L, n] → [N, L, D].</summary>
    public static OnnxValue Emit(OnnxValue values, int inputs, int outputs)
    {
        if (inputs == outputs)
        {
            return values;
        }

        var (first, count) = (new long[outputs], new float[outputs]);
        for (var i = 0; i < outputs; i++)
        {
            first[i] = (long)i * inputs / outputs;
            count[i] = ((((i + 1L) * inputs) + outputs - 1) / outputs) - first[i];
        }

        // Of each output as many inputs as the widest takes, those beyond its own times 0.
        var widest = (int)count.Max();
        var sum = Enumerable.Range(0, widest).Select(k =>
        {
            var places = Array.ConvertAll(first, place => Math.Min(place + k, inputs - 1));
            var taken = values.Gather(2, places);
            return count.All(own => k < own) ? taken
                : taken * values.Graph.Constant(Array.ConvertAll(count, own => k < own ? 1f : 0f), outputs);
        }).Aggregate((sum, taken) => sum + taken);
        return sum / values.Graph.Constant(count, outputs);
    }
}
