using Microsoft.ML.KagPrompt.Methods.Kag.Paper;
using Microsoft.ML.KagPrompt.Methods.Kag.Released;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.Kag;

/// <summary>Everything in which the paper's equations and the authors' code differ; what they share asks here.</summary>
internal abstract class KagVariant
{
    /// <summary>What weights of this form are called where a backbone brings them along.</summary>
    public abstract string HeadName { get; }

    public static KagVariant For(GraphVariant variant)
        => variant == GraphVariant.Paper ? Paper.PaperVariant.Instance : Released.ReleasedVariant.Instance;

    /// <summary>Names and shapes of the graph's own parameters, beside those both forms have.</summary>
    public abstract IEnumerable<ParameterLayout> GraphLayout(GraphPromptConfig config);

    /// <summary>The rounds of message passing.</summary>
    public abstract IMessageGraph NewGraph(GraphParameters parameters, int iterations);

    /// <summary>After Linear_i: [B, L, C'].</summary>
    public abstract Tensor Projected(Tensor linear);

    /// <summary>V of the sum of the kernels' responses (1): [N, C', H', W'].</summary>
    public abstract Tensor Combined(Tensor sum, int kernels);

    /// <summary>What the prompts are held against, of N^T and V (11): [M, B, L, C'].</summary>
    public abstract Tensor Outputs(Tensor final, Tensor initial, GraphParameters parameters, bool training);

    /// <summary>M_pi of the logits [M, B, L] (12): [M, B, S, S].</summary>
    public abstract Tensor LayerMaps(Tensor logits, Func<Tensor, Tensor> toImage);

    /// <summary>M_p, their mean: [B, S, S].</summary>
    public abstract Tensor MeanMap(Tensor logits, Func<Tensor, Tensor> toImage);

    /// <summary>M_v of the distances at S × S (13).</summary>
    public abstract Tensor MemoryMap(Tensor distances);

    /// <summary>Equation (17).</summary>
    public abstract Losses Loss(Tensor similarities, Tensor maps, Tensor masks, Tensor labels, float focalWeight, float diceWeight);
}
