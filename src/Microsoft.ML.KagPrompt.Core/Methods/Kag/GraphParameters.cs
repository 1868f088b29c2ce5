using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.Kag;

/// <summary>The parameters of a graph prompt by name. Owns them.</summary>
internal sealed class GraphParameters : IDisposable
{
    /// <summary>Heights and widths of the multi-kernel convolution's kernels.</summary>
    public static IReadOnlyList<(int Height, int Width)> KernelSizes { get; } = [(1, 4), (4, 1), (2, 2), (3, 3)];

    private readonly Dictionary<string, Tensor> byName = [];
    private readonly HashSet<string> statistics = [];

    /// <summary>
    /// Draws the initial values: N(0, 0.01) in the graph's convolutions, orthogonal in the GRU, PyTorch's default elsewhere.
    /// </summary>
    public GraphParameters(GraphPromptConfig config, int seed)
    {
        using var scope = NewDisposeScope();
        using var random = new Generator((ulong)(uint)seed, CPU);
        foreach (var entry in Layout(config))
        {
            var value = entry.Initial switch
            {
                InitialValues.Uniform => rand(entry.Shape, generator: random).Plus(-0.5).Times(2 / Math.Sqrt(entry.FanIn)),
                InitialValues.Small => randn(entry.Shape, generator: random).Times(0.01),
                InitialValues.Orthogonal => Orthogonal(random, entry.Shape[0], entry.Shape[1]),
                InitialValues.One or InitialValues.StatisticOne => ones(entry.Shape),
                _ => zeros(entry.Shape),
            };
            Add(entry, value);
        }
    }

    private GraphParameters() { }

    public Tensor this[string name] => byName[name];

    /// <summary>Everything that is saved.</summary>
    public IReadOnlyDictionary<string, Tensor> ByName => byName;

    /// <summary>What gradients change: all but the running statistics.</summary>
    public IReadOnlyList<Tensor> Trained => [.. byName.Where(entry => !statistics.Contains(entry.Key)).Select(entry => entry.Value)];

    /// <summary>Every name and shape, before anything is allocated.</summary>
    public static IReadOnlyDictionary<string, long[]> Shapes(GraphPromptConfig config)
        => Layout(config).ToDictionary(entry => entry.Name, entry => entry.Shape);

    /// <summary>Takes the values from a checkpoint: all, and nothing else.</summary>
    /// <param name="config">The sizes.</param>
    /// <param name="source">The checkpoint, under this class's names.</param>
    /// <param name="statisticsMayMiss">Whether running statistics it lacks are their initial values.</param>
    /// <exception cref="CheckpointMismatchException">Lists missing, unexpected and mis-shaped names together.</exception>
    public static GraphParameters Read(GraphPromptConfig config, ITensorSource source, bool statisticsMayMiss = false)
    {
        using var scope = NewDisposeScope();
        var layout = Layout(config).ToArray();
        StrictLoad.Check(layout.Where(entry => !statisticsMayMiss || !entry.IsStatistic || source.Entries.ContainsKey(entry.Name))
            .ToDictionary(entry => entry.Name, entry => entry.Shape), source);
        var parameters = new GraphParameters();
        try
        {
            foreach (var entry in layout)
            {
                var value = source.Entries.ContainsKey(entry.Name)
                    ? source.Read(entry.Name).to(ScalarType.Float32)
                    : entry.Initial == InitialValues.StatisticOne ? ones(entry.Shape) : zeros(entry.Shape);
                FiniteValues.Check(value, value, entry.Name, source.Origin);
                parameters.Add(entry, value);
            }

            return parameters;
        }
        catch
        {
            parameters.Dispose();
            throw;
        }
    }

    public void MoveTo(Device device)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        foreach (var name in byName.Keys.ToArray())
        {
            var old = byName[name];
            var moved = old.to(device);
            if (!ReferenceEquals(moved, old))
            {
                byName[name] = Owned(moved, trained: !statistics.Contains(name));
                old.Dispose();
            }
        }
    }

    public void Dispose()
    {
        foreach (var parameter in byName.Values)
        {
            parameter.Dispose();
        }
    }

    private void Add(ParameterLayout layout, Tensor value)
    {
        if (layout.IsStatistic)
        {
            statistics.Add(layout.Name);
        }

        byName.Add(layout.Name, Owned(value, trained: !layout.IsStatistic));
    }

    private static IEnumerable<ParameterLayout> Layout(GraphPromptConfig config)
    {
        long c = config.JointWidth;
        var projections = config.TapWidths.SelectMany((width, i) => ParameterLayout.Linear($"projection.{i}", c, width));
        var kernels = KernelSizes.SelectMany((size, k) => ParameterLayout.Linear($"kernels.{k}", c, c, size.Height, size.Width));
        var gru = new[] { "update", "reset", "candidate" }
            .SelectMany(gate => ParameterLayout.Pair($"gru.{gate}", InitialValues.Orthogonal, c, 2 * c));
        return projections.Concat(kernels).Concat(KagVariant.For(config.Variant).GraphLayout(config)).Concat(gru)
            .Concat(ParameterLayout.Linear("adapter", c, c));
    }

    /// <summary>A leaf that outlives the caller's scope.</summary>
    private static Tensor Owned(Tensor value, bool trained) => value.requires_grad_(trained).DetachFromDisposeScope();

    /// <summary>Rows orthonormal: the Q of a random matrix's QR, signs fixed by R's diagonal.</summary>
    private static Tensor Orthogonal(Generator random, long rows, long columns)
    {
        var (q, r) = linalg.qr(randn([columns, rows], generator: random));
        return (q * r.diag().sign()).t().contiguous();
    }
}
