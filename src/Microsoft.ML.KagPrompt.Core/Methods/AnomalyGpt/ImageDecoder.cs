using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;
using Microsoft.ML.KagPrompt.Onnx;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.KagPrompt.Methods.AnomalyGpt;

/// <summary>
/// AnomalyGPT's image decoder: a linear head with bias for each layer, into the space of the sentences. Owns its weights.
/// </summary>
internal sealed class ImageDecoder : IDisposable
{
    private const double InverseTemperature = 100;

    private readonly WeightSet weights;

    private ImageDecoder(WeightSet weights) => this.weights = weights;

    public IReadOnlyDictionary<string, Tensor> Weights => weights.ByName;

    /// <summary>Reads the heads of a saved model. The caller owns them.</summary>
    /// <exception cref="CheckpointMismatchException">They are missing or of other sizes.</exception>
    public static ImageDecoder Read(ITensorSource source, IReadOnlyList<int> tapWidths, int jointWidth)
        => new(WeightSet.Read(Shapes(tapWidths, jointWidth), source));

    /// <summary>Reads the heads of the authors' checkpoint, which may hold more than them. The caller owns them.</summary>
    /// <exception cref="CheckpointMismatchException">They are missing, or were trained on features of other sizes.</exception>
    public static ImageDecoder ReadPublished(ITensorSource source, IReadOnlyList<int> tapWidths, int jointWidth)
    {
        var rules = Shapes(tapWidths, jointWidth)
            .Select(entry => new WeightRule(entry.Key, entry.Value, ($"image_decoder.{entry.Key}", entry.Value))).ToArray();
        StrictLoad.Check(rules, source, _ => true);
        using var mapped = new MappedTensors(source, rules);
        return Read(mapped, tapWidths, jointWidth);
    }

    /// <summary>100 · cosine of a layer's patches to the normal and the abnormal sentences: [B, L, D_i] and [2, C'] → [B, 2, L].</summary>
    public Tensor Logits(int layer, Tensor patchTokens, Tensor textFeatures)
    {
        using var scope = NewDisposeScope();
        // [B, L, C']
        var projected = functional.linear(patchTokens, weights[$"fc.{layer}.weight"], weights[$"fc.{layer}.bias"]).UnitLength(-1);
        return projected.matmul(textFeatures.t()).Times(InverseTemperature).transpose(1, 2).MoveToOuterDisposeScope();
    }

    /// <summary><see cref="Logits"/> in ONNX operators: [N, L, D_i] → [N, 2, L].</summary>
    public OnnxValue Emit(int layer, OnnxValue patchTokens, Tensor textFeatures)
    {
        using var scope = NewDisposeScope();
        var projected = patchTokens.Linear(weights[$"fc.{layer}.weight"], weights[$"fc.{layer}.bias"]).UnitLength(-1);
        return (projected.MatMul(projected.Graph.Constant(textFeatures.t())) * InverseTemperature).Swap();
    }

    /// <summary>The same heads again. The caller owns them.</summary>
    public ImageDecoder Copy()
        => new(new WeightSet(weights.ByName.ToDictionary(entry => entry.Key, entry => entry.Value.clone().DetachFromDisposeScope())));

    public void MoveTo(Device device) => weights.MoveTo(device);

    public void Dispose() => weights.Dispose();

    private static Dictionary<string, long[]> Shapes(IReadOnlyList<int> tapWidths, int jointWidth)
        => tapWidths.SelectMany((width, layer)
            => new (string Name, long[] Shape)[] { ($"fc.{layer}.weight", [jointWidth, width]), ($"fc.{layer}.bias", [jointWidth]) })
            .ToDictionary(entry => entry.Name, entry => entry.Shape);
}
