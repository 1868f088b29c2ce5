using Microsoft.ML.KagPrompt.Methods.Kag.Paper;
using Microsoft.ML.KagPrompt.Methods.Kag.Released;
using Microsoft.ML.KagPrompt.Onnx;
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

    /// <summary>Whether <see cref="OutputsAtOnce"/> takes these patch tokens.</summary>
    public virtual bool TakesAtOnce(IReadOnlyList<Tensor> patchTokens) => false;

    /// <summary>
    /// From patch tokens 4 × [B, L, D_i] to <see cref="Outputs(Tensor, Tensor, GraphParameters, bool)"/> by the library's own code, where
    /// nothing is trained.
    /// </summary>
    public virtual Tensor OutputsAtOnce(GraphParameters parameters, GraphPromptConfig config, IReadOnlyList<Tensor> patchTokens)
        => throw new NotSupportedException($"{HeadName} has no code of its own.");

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

    /// <summary>M: how many maps the prompts are held against, of a graph of so many nodes.</summary>
    public abstract int MapsOf(int nodes);

    /// <summary><see cref="Projected(Tensor)"/> in ONNX operators.</summary>
    public abstract OnnxValue Projected(OnnxValue linear);

    /// <summary><see cref="Combined(Tensor, int)"/> in ONNX operators.</summary>
    public abstract OnnxValue Combined(OnnxValue sum, int kernels);

    /// <summary><see cref="Outputs(Tensor, Tensor, GraphParameters, bool)"/> in ONNX operators: [M, N, side², C'].</summary>
    public abstract OnnxValue Outputs(OnnxValue final, OnnxValue initial, GraphParameters parameters, int side);

    /// <summary><see cref="MeanMap(Tensor, Func{Tensor, Tensor})"/> in ONNX operators: [M, N, L] → [N, S, S].</summary>
    /// <param name="logits">The logits.</param>
    /// <param name="maps">M.</param>
    /// <param name="imageSize">S.</param>
    /// <param name="toImage">[n, L] → [n, S, S].</param>
    public abstract OnnxValue MeanMap(OnnxValue logits, int maps, int imageSize, Func<OnnxValue, OnnxValue> toImage);

    /// <summary><see cref="MemoryMap(Tensor)"/> in ONNX operators.</summary>
    public abstract OnnxValue MemoryMap(OnnxValue distances);

    /// <summary>Equation (17).</summary>
    public abstract Losses Loss(Tensor similarities, Tensor maps, Tensor masks, Tensor labels, float focalWeight, float diceWeight);
}
