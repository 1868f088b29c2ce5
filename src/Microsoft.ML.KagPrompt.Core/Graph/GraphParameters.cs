using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Graph;

/// <summary>The trained parameters of a graph prompt by name. Owns them.</summary>
internal sealed class GraphParameters : IDisposable
{
    /// <summary>Heights and widths of the multi-kernel convolution's kernels.</summary>
    public static IReadOnlyList<(int Height, int Width)> KernelSizes { get; } = [(1, 4), (4, 1), (2, 2), (3, 3)];

    private readonly Dictionary<string, Tensor> byName = [];

    /// <summary>Draws the initial values: N(0, 0.01) in the graph's convolutions, orthogonal in the GRU, PyTorch's default elsewhere.</summary>
    public GraphParameters(GraphPromptConfig config, int seed)
    {
        using var scope = NewDisposeScope();
        using var random = new Generator((ulong)(uint)seed, CPU);
        var c = config.JointWidth;
        for (var i = 0; i < config.TapWidths.Count; i++)
        {
            AddDefault($"projection.{i}", random, c, config.TapWidths[i]);
        }

        for (var k = 0; k < KernelSizes.Count; k++)
        {
            AddDefault($"kernels.{k}", random, c, c, KernelSizes[k].Height, KernelSizes[k].Width);
        }

        AddSmall("intra.query", random, config.QueryWidth, c);
        AddSmall("intra.key", random, config.QueryWidth, c);
        AddSmall("intra.value", random, c, c);
        Add("intra.alpha", zeros(1));
        Add("inter.weight", Uniform(random, c, c, c));
        AddSmall("gate", random, c, c);
        foreach (var gate in (string[])["update", "reset", "candidate"])
        {
            Add($"gru.{gate}.weight", Orthogonal(random, c, 2 * c));
            Add($"gru.{gate}.bias", zeros(c));
        }

        AddDefault("adapter", random, c, c);
    }

    public Tensor this[string name] => byName[name];

    public IReadOnlyDictionary<string, Tensor> ByName => byName;

    public void MoveTo(Device device)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        foreach (var name in byName.Keys.ToArray())
        {
            using var old = byName[name];
            byName[name] = Owned(old.to(device, copy: true));
        }
    }

    public void Dispose()
    {
        foreach (var parameter in byName.Values)
        {
            parameter.Dispose();
        }
    }

    private void Add(string name, Tensor value) => byName.Add(name, Owned(value));

    /// <summary>A leaf that training changes, and that outlives the caller's scope.</summary>
    private static Tensor Owned(Tensor value) => value.requires_grad_(true).DetachFromDisposeScope();

    private void AddSmall(string name, Generator random, long rows, long columns)
    {
        Add($"{name}.weight", randn([rows, columns], generator: random).Times(0.01));
        Add($"{name}.bias", zeros(rows));
    }

    /// <summary>PyTorch's default for linear layers and convolutions: weight and bias uniform within ±1/√fan-in.</summary>
    private void AddDefault(string name, Generator random, params long[] shape)
    {
        var fanIn = shape[1..].Aggregate(1L, (product, size) => product * size);
        Add($"{name}.weight", Uniform(random, fanIn, shape));
        Add($"{name}.bias", Uniform(random, fanIn, shape[0]));
    }

    private static Tensor Uniform(Generator random, long fanIn, params long[] shape)
        => rand(shape, generator: random).Plus(-0.5).Times(2 / Math.Sqrt(fanIn));

    /// <summary>Rows orthonormal: the Q of a random matrix's QR, signs fixed by R's diagonal.</summary>
    private static Tensor Orthogonal(Generator random, long rows, long columns)
    {
        var (q, r) = linalg.qr(randn([columns, rows], generator: random));
        return (q * r.diag().sign()).t().contiguous();
    }
}
