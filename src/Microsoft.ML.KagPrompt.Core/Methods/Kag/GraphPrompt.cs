using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Methods.Kag.Paper;
using Microsoft.ML.KagPrompt.Methods.Kag.Released;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.KagPrompt.Methods.Kag;

/// <summary>
/// The trained half of KAG-prompt: projections, multi-kernel convolution, kernel-aware hierarchical graph,
/// and the adapter FC of equation (15).
/// </summary>
internal sealed partial class GraphPrompt : IDisposable
{
    private readonly GraphPromptConfig config;
    private readonly GraphParameters parameters;
    private readonly KagVariant variant;
    private readonly IMessageGraph graph;

    /// <summary>An untrained prompt.</summary>
    public GraphPrompt(GraphPromptConfig config, int seed) : this(config, new GraphParameters(config, seed)) { }

    private GraphPrompt(GraphPromptConfig config, GraphParameters parameters)
    {
        (this.config, this.parameters) = (config, parameters);
        variant = KagVariant.For(config.Variant);
        graph = variant.NewGraph(parameters, config.Iterations);
    }

    /// <summary>Told of the graph's stages when set. For golden tests.</summary>
    public Action<string, int, Tensor>? Trace { get => graph.Trace; set => graph.Trace = value; }

    /// <summary>See <see cref="IMessageGraph.LargestAtOnce"/>.</summary>
    public long LargestAtOnce { get => graph.LargestAtOnce; set => graph.LargestAtOnce = value; }

    public GraphPromptConfig Config => config;

    public GraphVariant Variant => config.Variant;

    public IReadOnlyList<int> TapWidths => config.TapWidths;

    public int JointWidth => config.JointWidth;

    /// <summary>What training changes.</summary>
    public IReadOnlyList<Tensor> Parameters => parameters.Trained;

    /// <summary>The weights by name, for the archive. The prompt keeps ownership.</summary>
    public IReadOnlyDictionary<string, Tensor> Weights => parameters.ByName;

    /// <summary>
    /// P_i: 4 × [B, L, D_i] → what the prompts are held against: O_i, [4, B, L, C'] (1) to (11); Released: O_i, then V_i, [8, B, L, C'].
    /// </summary>
    public Tensor Nodes(IReadOnlyList<Tensor> patchTokens, bool training = false)
    {
        using var scope = NewDisposeScope();
        Check(patchTokens);
        if (!training && Trace is null && variant.TakesAtOnce(patchTokens))
        {
            return variant.OutputsAtOnce(parameters, config, patchTokens).MoveToOuterDisposeScope();
        }

        var initial = InitialNodes(patchTokens);                                    // V
        var final = graph.Forward(initial);
        return variant.Outputs(final, initial, parameters, training).MoveToOuterDisposeScope();     // (11)
    }

    /// <summary>O_i of <see cref="Nodes"/>: [4, B, L, C'].</summary>
    public Tensor Outputs(Tensor nodes) => nodes.narrow(0, 0, config.TapWidths.Count);

    /// <summary>V_i, the nodes N_i^0: [4, B, L, C'] (1)(2).</summary>
    internal Tensor InitialNodes(IReadOnlyList<Tensor> patchTokens)
    {
        using var scope = NewDisposeScope();
        Check(patchTokens);
        var (batch, patches) = (patchTokens[0].shape[0], patchTokens[0].shape[1]);
        var projected = new Tensor[patchTokens.Count];
        for (var i = 0; i < projected.Length; i++)
        {
            var linear = functional.linear(patchTokens[i], parameters[$"projection.{i}.weight"], parameters[$"projection.{i}.bias"]);
            projected[i] = variant.Projected(linear);
        }

        return MultiKernelConvolution.Forward(cat(projected, 0), parameters, variant)
            .view(projected.Length, batch, patches, config.JointWidth).MoveToOuterDisposeScope();
    }

    private void Check(IReadOnlyList<Tensor> patchTokens)
    {
        if (patchTokens.Count != config.TapWidths.Count)
        {
            throw new ArgumentException($"patchTokens: expected {config.TapWidths.Count} layers, got {patchTokens.Count}.",
                nameof(patchTokens));
        }

        for (var i = 0; i < patchTokens.Count; i++)
        {
            Guard.Shape(patchTokens[i], $"patchTokens[{i}]", patchTokens[0].shape[0], patchTokens[0].shape[1], config.TapWidths[i]);
        }
    }

    /// <summary>cos(FC(F_cls), F_n) and cos(FC(F_cls), F_a) (15): [B, C'] and [2, C'] or [B, 2, C'] → [B, 2].</summary>
    public Tensor ImageSimilarities(Tensor imageEmbedding, Tensor textFeatures)
    {
        using var scope = NewDisposeScope();
        var adapted = functional.linear(imageEmbedding, parameters["adapter.weight"], parameters["adapter.bias"]);
        var unit = adapted.UnitLength(-1).unsqueeze(1);       // [B, 1, C']
        return (unit * textFeatures).sum(-1).MoveToOuterDisposeScope();
    }

    /// <summary>A trained prompt from a checkpoint (<see cref="GraphParameters.Read"/>).</summary>
    public static GraphPrompt Read(GraphPromptConfig config, ITensorSource source, bool statisticsMayMiss = false)
        => new(config, GraphParameters.Read(config, source, statisticsMayMiss));

    /// <summary>Takes the values of another prompt of the same sizes.</summary>
    public void CopyFrom(GraphPrompt other)
    {
        using var noGradients = no_grad();
        foreach (var (name, parameter) in parameters.ByName)
        {
            parameter.copy_(other.parameters[name]);
        }
    }

    public void MoveTo(Device device) => parameters.MoveTo(device);

    public void Dispose() => parameters.Dispose();
}
