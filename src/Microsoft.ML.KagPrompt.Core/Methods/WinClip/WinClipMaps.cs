using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Onnx;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.WinClip;

/// <summary>WinCLIP's arithmetic from embeddings to values of patches.</summary>
internal static class WinClipMaps
{
    private const double Temperature = 0.07;

    /// <summary>
    /// How much nearer embeddings [..., C'] are to the abnormal texts than to the normal ones, [2, C'] of any length: softmax of cosines /
    /// 0.07, [...].
    /// </summary>
    public static Tensor Abnormality(Tensor embeddings, Tensor textFeatures)
    {
        using var scope = NewDisposeScope();
        var text = textFeatures.UnitLength(-1);
        // Of two, the softmax is the sigmoid of the difference.
        var direction = text.select(0, 1).Minus(text.select(0, 0));
        return embeddings.UnitLength(-1).matmul(direction).Times(1 / Temperature).sigmoid().MoveToOuterDisposeScope();
    }

    /// <summary><see cref="Abnormality"/> in ONNX operators.</summary>
    public static OnnxValue Emit(OnnxValue embeddings, Tensor textFeatures)
    {
        using var scope = NewDisposeScope();
        var text = textFeatures.UnitLength(-1);
        var direction = embeddings.Graph.Constant(text.select(0, 1).Minus(text.select(0, 0)).unsqueeze(1));
        return (embeddings.UnitLength(-1).MatMul(direction).Squeeze(-1) * (1 / Temperature)).Sigmoid();
    }

    /// <summary>
    /// Zero-shot: the harmonic mean of the maps by windows [B, g²] and of the image's own score [B], which holds everywhere.
    /// </summary>
    public static Tensor MultiScale(Tensor imageScores, IReadOnlyList<Tensor> windowMaps)
    {
        using var scope = NewDisposeScope();
        var sum = windowMaps.Aggregate(imageScores.unsqueeze(1).reciprocal(), (reciprocals, map) => reciprocals.Plus(map.reciprocal()));
        return sum.reciprocal().Times(1 + windowMaps.Count).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Visual association: half the distances (1 − cos) to the nearest normal feature, of patches and by windows, and their arithmetic
    /// mean: [B, g²]. Distances that rounding brought below 0 count as 0, for their reciprocals enter a mean.
    /// </summary>
    /// <param name="distances">Of the patches [B, g²], then of the windows of each grid.</param>
    /// <param name="grids">The windows.</param>
    public static AssociationMaps Association(IReadOnlyList<Tensor> distances, IReadOnlyList<WindowGrid> grids)
    {
        using var scope = NewDisposeScope();
        var scores = distances.Select(distance => distance.AtLeast(0).Times(0.5)).ToArray();
        Tensor[] maps = [scores[0], .. grids.Select((grid, i) => grid.HarmonicMean(scores[1 + i]))];
        var mean = maps.Skip(1).Aggregate(maps[0], (sum, map) => sum.Plus(map)).Times(1.0 / maps.Length);
        return new([.. scores.Skip(1).Select(score => score.MoveToOuterDisposeScope())],
            [.. maps.Select(map => map.MoveToOuterDisposeScope())], mean.MoveToOuterDisposeScope());
    }

    /// <summary>Half of what words say and half of what supports say, of patches or of images.</summary>
    public static Tensor Halved(Tensor words, Tensor supports)
    {
        using var scope = NewDisposeScope();
        return words.Plus(supports).Times(0.5).MoveToOuterDisposeScope();
    }
}

/// <summary>What visual association makes of an image.</summary>
/// <param name="WindowScores">Of each grid's windows, [B, (g−s+1)²].</param>
/// <param name="Maps">Of the patches themselves, then by each grid's windows, [B, g²].</param>
/// <param name="Mean">Their mean, [B, g²].</param>
internal sealed record AssociationMaps(IReadOnlyList<Tensor> WindowScores, IReadOnlyList<Tensor> Maps, Tensor Mean);
