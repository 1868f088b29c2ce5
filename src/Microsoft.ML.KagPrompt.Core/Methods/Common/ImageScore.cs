using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Onnx;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.Common;

/// <summary>Equation (16): from a map to one number.</summary>
internal static class ImageScore
{
    /// <summary>The map side k is counted at.</summary>
    private const double ReferenceSide = 224;

    /// <summary>σ of a pixel's surroundings, of the side.</summary>
    private const double Surroundings = 12 / ReferenceSide;

    /// <summary>
    /// Each value less a share of the mean of its surroundings: [B, S, S] → the same shape. Outside the region it is 0. The caller owns it.
    /// </summary>
    public static Tensor Contrasted(Tensor maps, float share, ClassRegion? region)
    {
        using var scope = NewDisposeScope();
        return (share == 0
            ? maps.alias()
            : maps.Minus(GaussianBlur.Apply(maps, Sigma(maps.shape[^1]), region?.Inspected).Times(share))).MoveToOuterDisposeScope();
    }

    /// <summary>The same in ONNX operators: [N, side, side].</summary>
    public static OnnxValue Contrasted(OnnxValue maps, float share, int side, ClassRegion? region)
        => share == 0 ? maps : maps - (GaussianBlur.Emit(maps, side, Sigma(side), region?.Inspected) * share);

    /// <summary>Mean of the map's largest values: [B, S, S] → [B]. k counts at 224 × 224 and scales with S², rounded, at least 1.</summary>
    /// <param name="maps">The maps.</param>
    /// <param name="k">How many values.</param>
    /// <param name="inspected">The pixels that count, by number; null: all.</param>
    public static Tensor TopMean(Tensor maps, int k, long[]? inspected = null)
    {
        using var scope = NewDisposeScope();
        var pixels = maps.flatten(1);                                                     // [B, S²]
        var count = Count(k, pixels.shape[1], inspected?.Length);
        if (inspected is not null)
        {
            pixels = pixels.index_select(1, tensor(inspected, device: pixels.device));
        }

        var (values, _) = pixels.topk(count, dim: 1, sorted: false);
        return values.mean([1]).MoveToOuterDisposeScope();
    }

    /// <summary>How many values that is of a map.</summary>
    /// <param name="k">At the reference side.</param>
    /// <param name="pixels">S².</param>
    /// <param name="inspected">How many of them count; null: all.</param>
    public static int Count(int k, long pixels, int? inspected) => (int)Math.Min(
        Math.Clamp(Math.Round(k * pixels / (ReferenceSide * ReferenceSide)), 1, pixels), inspected ?? pixels);

    private static double Sigma(long side) => Surroundings * side;

    /// <summary>s = γ s1 + (1−γ) s2; s2 alone where no prompt is trained. The caller owns the result.</summary>
    public static Tensor Fuse(Tensor? promptScore, Tensor topMean, float gamma)
    {
        using var scope = NewDisposeScope();
        var score = promptScore is null ? topMean.alias() : promptScore.Times(gamma).Plus(topMean.Times(1.0 - gamma));
        return score.MoveToOuterDisposeScope();
    }
}
