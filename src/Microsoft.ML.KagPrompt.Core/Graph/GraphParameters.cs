using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Graph;

/// <summary>The parameters of a graph prompt by name. Owns them.</summary>
internal sealed class GraphParameters : IDisposable
{
    /// <summary>Heights and widths of the multi-kernel convolution's kernels.</summary>
    public static IReadOnlyList<(int Height, int Width)> KernelSizes { get; } = [(1, 4), (4, 1), (2, 2), (3, 3)];

    private readonly Dictionary<string, Tensor> byName = [];
    private readonly HashSet<string> statistics = [];

    /// <summary>Draws the initial values: N(0, 0.01) in the graph's convolutions, orthogonal in the GRU, PyTorch's default elsewhere.</summary>
    public GraphParameters(GraphPromptConfig config, int seed)
    {
        using var scope = NewDisposeScope();
        using var random = new Generator((ulong)(uint)seed, CPU);
        foreach (var entry in Layout(config))
        {
            var value = entry.Initial switch
            {
                Initial.Uniform => rand(entry.Shape, generator: random).Plus(-0.5).Times(2 / Math.Sqrt(entry.FanIn)),
                Initial.Small => randn(entry.Shape, generator: random).Times(0.01),
                Initial.Orthogonal => Orthogonal(random, entry.Shape[0], entry.Shape[1]),
                Initial.One or Initial.StatisticOne => ones(entry.Shape),
                _ => zeros(entry.Shape),
            };
            Add(entry.Name, entry.Initial, value);
        }
    }

    private GraphParameters() { }

    private enum Initial
    {
        Zero,
        One,
        Small,
        Orthogonal,

        /// <summary>PyTorch's default for linear layers and convolutions: uniform within ±1/√fan-in.</summary>
        Uniform,

        StatisticZero,
        StatisticOne,
    }

    public Tensor this[string name] => byName[name];

    /// <summary>Everything that is saved.</summary>
    public IReadOnlyDictionary<string, Tensor> ByName => byName;

    /// <summary>What gradients change: all but the running statistics.</summary>
    public IReadOnlyList<Tensor> Trained => [.. byName.Where(entry => !statistics.Contains(entry.Key)).Select(entry => entry.Value)];

    /// <summary>Every name and shape, before anything is allocated.</summary>
    public static IReadOnlyDictionary<string, long[]> Shapes(GraphPromptConfig config) => Layout(config).ToDictionary(entry => entry.Name, entry => entry.Shape);

    /// <summary>Takes the values from a checkpoint: all, and nothing else.</summary>
    /// <param name="config">The sizes.</param>
    /// <param name="source">The checkpoint, under this class's names.</param>
    /// <param name="statisticsMayMiss">Whether running statistics it lacks are their initial values.</param>
    /// <exception cref="Microsoft.ML.KagPrompt.Diagnostics.CheckpointMismatchException">Lists missing, unexpected and mis-shaped names together.</exception>
    public static GraphParameters Read(GraphPromptConfig config, ITensorSource source, bool statisticsMayMiss = false)
    {
        using var scope = NewDisposeScope();
        var layout = Layout(config).ToArray();
        StrictLoad.Check(layout.Where(entry => !statisticsMayMiss || !IsStatistic(entry.Initial) || source.Entries.ContainsKey(entry.Name)).ToDictionary(entry => entry.Name, entry => entry.Shape), source);
        var parameters = new GraphParameters();
        try
        {
            foreach (var entry in layout)
            {
                var value = source.Entries.ContainsKey(entry.Name) ? source.Read(entry.Name).to(ScalarType.Float32) : entry.Initial == Initial.StatisticOne ? ones(entry.Shape) : zeros(entry.Shape);
                FiniteValues.Check(value, value, entry.Name, source.Origin);
                parameters.Add(entry.Name, entry.Initial, value);
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

    private static bool IsStatistic(Initial initial) => initial is Initial.StatisticOne or Initial.StatisticZero;

    private void Add(string name, Initial initial, Tensor value)
    {
        if (IsStatistic(initial))
        {
            statistics.Add(name);
        }

        byName.Add(name, Owned(value, trained: !IsStatistic(initial)));
    }

    private static IEnumerable<(string Name, long[] Shape, Initial Initial, long FanIn)> Layout(GraphPromptConfig config)
    {
        long c = config.JointWidth;
        var projections = config.TapWidths.SelectMany((width, i) => Linear($"projection.{i}", c, width));
        var kernels = KernelSizes.SelectMany((size, k) => Linear($"kernels.{k}", c, c, size.Height, size.Width));
        var gru = new[] { "update", "reset", "candidate" }.SelectMany(gate => Pair($"gru.{gate}", Initial.Orthogonal, c, 2 * c));
        IEnumerable<(string, long[], Initial, long)> edges = config.Variant == GraphVariant.Paper
            ? [.. Pair("intra.query", Initial.Small, config.QueryWidth, c), .. Pair("intra.key", Initial.Small, config.QueryWidth, c), .. Pair("intra.value", Initial.Small, c, c),
                ("intra.alpha", [1], Initial.Zero, 0), ("inter.weight", [c, c], Initial.Uniform, c), .. Pair("gate", Initial.Small, c, c)]
            : [("edge.weight", [c, c], Initial.Uniform, c), ("message_gate.weight", [1, c], Initial.Small, 0),
                .. Pair("fusion", Initial.Small, c, 3 * c, 3, 3), .. Pair("output", Initial.Small, c, 2 * c, 3, 3),
                ("output_norm.weight", [c], Initial.One, 0), ("output_norm.bias", [c], Initial.Zero, 0),
                ("output_norm.mean", [c], Initial.StatisticZero, 0), ("output_norm.variance", [c], Initial.StatisticOne, 0)];
        return projections.Concat(kernels).Concat(edges).Concat(gru).Concat(Linear("adapter", c, c));
    }

    private static (string, long[], Initial, long)[] Linear(string name, params long[] shape)
    {
        var fanIn = shape[1..].Aggregate(1L, (product, size) => product * size);
        return [($"{name}.weight", shape, Initial.Uniform, fanIn), ($"{name}.bias", [shape[0]], Initial.Uniform, fanIn)];
    }

    private static (string, long[], Initial, long)[] Pair(string name, Initial weight, params long[] shape)
        => [($"{name}.weight", shape, weight, 0), ($"{name}.bias", [shape[0]], Initial.Zero, 0)];

    /// <summary>A leaf that outlives the caller's scope.</summary>
    private static Tensor Owned(Tensor value, bool trained) => value.requires_grad_(trained).DetachFromDisposeScope();

    /// <summary>Rows orthonormal: the Q of a random matrix's QR, signs fixed by R's diagonal.</summary>
    private static Tensor Orthogonal(Generator random, long rows, long columns)
    {
        var (q, r) = linalg.qr(randn([columns, rows], generator: random));
        return (q * r.diag().sign()).t().contiguous();
    }
}
