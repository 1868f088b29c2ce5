using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Onnx;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.AprilGan;

/// <summary>
/// What APRIL-GAN trains: for each tapped layer a linear map with bias from its patches into the joint space. Owns its tensors.
/// </summary>
internal sealed class LinearHeads : IDisposable
{
    /// <summary>The dictionary in which the authors' training puts the heads, flattened.</summary>
    private const string AuthorsPrefix = "trainable_linearlayer.";

    private readonly Dictionary<string, Tensor> byName = [];

    /// <summary>Untrained heads, drawn as PyTorch draws linear layers.</summary>
    public LinearHeads(IReadOnlyList<int> widths, int jointWidth, int seed)
    {
        using var scope = NewDisposeScope();
        using var random = new Generator((ulong)(uint)seed, CPU);
        Layers = widths.Count;
        foreach (var (name, shape) in Shapes(widths, jointWidth))
        {
            var width = widths[int.Parse(name.Split('.')[1], System.Globalization.CultureInfo.InvariantCulture)];
            byName.Add(name, Owned(rand(shape, generator: random).Plus(-0.5).Times(2 / Math.Sqrt(width))));
        }
    }

    private LinearHeads(int layers) => Layers = layers;

    public int Layers { get; }

    /// <summary>"fc.0.weight" [C', D], "fc.0.bias" [C'] and so on.</summary>
    public IReadOnlyDictionary<string, Tensor> Weights => byName;

    /// <summary>Reads heads: a saved model's, or a file of the authors' training.</summary>
    /// <exception cref="CheckpointMismatchException">They are of other sizes, or something else lies there.</exception>
    /// <exception cref="CheckpointFormatException">A value is not a number.</exception>
    public static LinearHeads Read(IReadOnlyList<int> widths, int jointWidth, ITensorSource source)
    {
        var inside = source.Entries.Keys.All(name => name.StartsWith(AuthorsPrefix, StringComparison.Ordinal)) && source.Entries.Count > 0
            ? new PrefixedTensors(source, AuthorsPrefix) : source;
        StrictLoad.Check(Shapes(widths, jointWidth), inside);
        var heads = new LinearHeads(widths.Count);
        try
        {
            foreach (var name in Shapes(widths, jointWidth).Keys)
            {
                using var scope = NewDisposeScope();
                var value = inside.Read(name).to(ScalarType.Float32);
                FiniteValues.Check(value, value, name, inside.Origin);
                heads.byName.Add(name, Owned(value));
            }

            return heads;
        }
        catch
        {
            heads.Dispose();
            throw;
        }
    }

    /// <summary>The same values apart. The caller owns them.</summary>
    public LinearHeads Copy()
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var copy = new LinearHeads(Layers);
        foreach (var (name, value) in byName)
        {
            copy.byName.Add(name, Owned(value.detach().clone()));
        }

        return copy;
    }

    /// <summary>Patches of a layer in the joint space, at unit length: [B, L, D] → [B, L, C'].</summary>
    public Tensor Project(int layer, Tensor patchTokens)
    {
        using var scope = NewDisposeScope();
        var (weight, bias) = (byName[$"fc.{layer}.weight"], byName[$"fc.{layer}.bias"]);
        return nn.functional.linear(patchTokens, weight, bias).UnitLength(-1).MoveToOuterDisposeScope();
    }

    /// <summary><see cref="Project"/> in ONNX operators.</summary>
    public OnnxValue Emit(int layer, OnnxValue patchTokens)
        => patchTokens.Linear(byName[$"fc.{layer}.weight"], byName[$"fc.{layer}.bias"]).UnitLength(-1);

    public void MoveTo(Device device)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        foreach (var (name, old) in byName.ToArray())
        {
            var moved = old.to(device);
            if (!ReferenceEquals(moved, old))
            {
                byName[name] = Owned(moved.detach());
                old.Dispose();
            }
        }
    }

    public void Dispose()
    {
        foreach (var value in byName.Values)
        {
            value.Dispose();
        }
    }

    private static Dictionary<string, long[]> Shapes(IReadOnlyList<int> widths, int jointWidth)
        => widths.Index().SelectMany(entry => new (string Name, long[] Shape)[]
        {
            ($"fc.{entry.Index}.weight", [jointWidth, entry.Item]),
            ($"fc.{entry.Index}.bias", [jointWidth]),
        }).ToDictionary(entry => entry.Name, entry => entry.Shape);

    /// <summary>A leaf with gradients that outlives the caller's scope.</summary>
    private static Tensor Owned(Tensor value) => value.requires_grad_(true).DetachFromDisposeScope();
}
