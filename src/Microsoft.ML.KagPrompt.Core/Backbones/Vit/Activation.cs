using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Onnx;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.KagPrompt.Backbones.Vit;

/// <summary>Non-linearity of a transformer's MLP.</summary>
internal enum Activation
{
    /// <summary>x Φ(x), by the error function.</summary>
    Gelu,

    /// <summary>x σ(1.702 x), as OpenAI's CLIP.</summary>
    QuickGelu,

    /// <summary>silu(a) b of the two halves [a, b]: halves the width.</summary>
    SwiGlu,
}

internal static class ActivationFunctions
{
    public static Tensor Apply(this Activation activation, Tensor x)
    {
        if (activation == Activation.SwiGlu)
        {
            var halves = x.chunk(2, -1);
            return halves[0] * halves[0].sigmoid() * halves[1];
        }

        return activation == Activation.Gelu ? functional.gelu(x) : x * x.Times(1.702).sigmoid();
    }

    /// <summary>The same in ONNX operators.</summary>
    /// <param name="activation">Which.</param>
    /// <param name="x">[…, w], of a gate both halves [a, b].</param>
    /// <param name="width">Of the result.</param>
    public static OnnxValue Emit(this Activation activation, OnnxValue x, int width)
    {
        if (activation == Activation.SwiGlu)
        {
            var gate = x.Narrow(-1, 0, width);
            return gate * gate.Sigmoid() * x.Narrow(-1, width, width);
        }

        return activation == Activation.Gelu ? x * 0.5 * ((x * Math.Sqrt(0.5)).Erf() + 1) : x * (x * 1.702).Sigmoid();
    }
}
