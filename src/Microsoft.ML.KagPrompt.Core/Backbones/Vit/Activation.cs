using Microsoft.ML.KagPrompt.Numerics;
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
}
