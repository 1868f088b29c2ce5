using Microsoft.ML.KagPrompt.Numerics;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.KagPrompt.Methods.Kag.Paper;

/// <summary>
/// A prompt's weights as <see cref="FusedGraph"/> reads them: channels filled with zeros up to whole panels. Copies, which it owns.
/// </summary>
internal sealed unsafe class FusedWeights : IDisposable
{
    private readonly List<IDisposable> owned = [];

    public FusedWeights(GraphParameters parameters, GraphPromptConfig config, TileShape shape)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        (Width, Query, Shape) = (config.JointWidth, config.QueryWidth, shape);
        Pitch = Filled(Width);
        try
        {
            Projections = [.. config.TapWidths.Select((_, i) => Layer(
                parameters[$"projection.{i}.weight"], parameters[$"projection.{i}.bias"]))];
            Kernels = [.. GraphParameters.KernelSizes.Select((_, k) => Layer(OfKernel(k), parameters[$"kernels.{k}.bias"]))];
            QueryAndKey = Layer(Stacked("intra.query.weight", "intra.key.weight"), Stacked("intra.query.bias", "intra.key.bias"));
            Value = Layer(parameters["intra.value.weight"], parameters["intra.value.bias"]);
            Alpha = parameters["intra.alpha"].Value();
            Along = Own(Panels.OfTurned(parameters["inter.weight"].t(), shape));
            Against = Own(Panels.OfTurned(parameters["inter.weight"], shape));
            Gate = Layer(parameters["gate.weight"], parameters["gate.bias"]);
            UpdateAndReset = Layer(
                cat([OfUnit("update"), OfUnit("reset")], 0),
                cat([Wide(parameters["gru.update.bias"], Pitch), Wide(parameters["gru.reset.bias"], Pitch)], 0));
            Candidate = Layer(OfUnit("candidate"), parameters["gru.candidate.bias"]);
        }
        catch
        {
            Dispose();
            throw;
        }

        Tensor Stacked(params string[] names) => cat([.. names.Select(name => parameters[name])], 0);

        // [C', C', h, w] → [C', h · w · pitch]: channel by channel of each cell that a kernel sees.
        Tensor OfKernel(int k) => Wide(parameters[$"kernels.{k}.weight"].permute(0, 2, 3, 1), Pitch).flatten(1);

        // [C', 2C'] of [h, N] → [pitch, 2 pitch].
        Tensor OfUnit(string name) => cat([.. parameters[$"gru.{name}.weight"].chunk(2, 1).Select(half => Wide(half, Pitch, Pitch))], 1);
    }

    /// <summary>C'.</summary>
    public int Width { get; }

    /// <summary>Channels from a row to the next: C' filled up.</summary>
    public int Pitch { get; }

    /// <summary>Channels of a query and of a key.</summary>
    public int Query { get; }

    public TileShape Shape { get; }

    /// <summary>Of a layer's tokens each.</summary>
    public IReadOnlyList<(Panels Weight, Tensor Bias)> Projections { get; }

    /// <summary>(1): of the cells that each sees.</summary>
    public IReadOnlyList<(Panels Weight, Tensor Bias)> Kernels { get; }

    public (Panels Weight, Tensor Bias) QueryAndKey { get; }

    public (Panels Weight, Tensor Bias) Value { get; }

    /// <summary>α of (3).</summary>
    public float Alpha { get; }

    /// <summary>W_c of (4): N_i W_c.</summary>
    public Panels Along { get; }

    /// <summary>Its turned one: N_j W_cᵀ.</summary>
    public Panels Against { get; }

    /// <summary>(8).</summary>
    public (Panels Weight, Tensor Bias) Gate { get; }

    /// <summary>(10): of [h, N], both of pitch channels.</summary>
    public (Panels Weight, Tensor Bias) UpdateAndReset { get; }

    public (Panels Weight, Tensor Bias) Candidate { get; }

    /// <summary>Numbers filled up to whole panels, as products are written.</summary>
    public int Filled(int count) => (count + Shape.Across - 1) / Shape.Across * Shape.Across;

    public void Dispose() => owned.ForEach(part => part.Dispose());

    private (Panels Weight, Tensor Bias) Layer(Tensor weight, Tensor bias)
        => (Own(Panels.OfTurned(weight, Shape)), Own(Wide(bias.detach(), Filled((int)bias.shape[0])).DetachFromDisposeScope()));

    private T Own<T>(T part) where T : IDisposable
    {
        owned.Add(part);
        return part;
    }

    private static Tensor Wide(Tensor values, int count) => functional.pad(values, [0, count - values.shape[^1]]);

    private static Tensor Wide(Tensor matrices, int rows, int columns)
        => functional.pad(matrices, [0, columns - matrices.shape[^1], 0, rows - matrices.shape[^2]]);
}
