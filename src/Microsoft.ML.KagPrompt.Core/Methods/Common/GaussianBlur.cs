using System.Collections.Concurrent;
using Microsoft.ML.KagPrompt.Numerics;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.Common;

/// <summary>
/// Smooths maps as the field does (scipy's gaussian_filter at its defaults): rows and columns apart, cut off at four deviations, the border mirrored so that its
/// pixel is repeated, and again where the map is smaller than the kernel.
/// </summary>
internal static class GaussianBlur
{
    private const double Deviations = 4;

    // Of less, a value would be told by what is left of a rounding.
    private const double LeastCoverage = 1e-4;

    private static readonly ConcurrentDictionary<(double Sigma, int Side), float[]> Known = new();

    /// <summary>[B, S, S] → [B, S, S]. The caller owns it.</summary>
    /// <param name="maps">The maps; 0 outside the region.</param>
    /// <param name="sigma">Standard deviation in pixels, 0 or more; 0: as they are.</param>
    /// <param name="region">Whose pixels alone count, so that what lies outside darkens nothing; null: all.</param>
    public static Tensor Apply(Tensor maps, double sigma, ClassRegion? region = null)
    {
        using var scope = NewDisposeScope();
        if (sigma == 0)
        {
            return maps.alias().MoveToOuterDisposeScope();
        }

        var side = (int)maps.shape[^1];
        var weights = tensor(Known.GetOrAdd((sigma, side), key => Weights(key.Sigma, key.Side)), [side, side], device: maps.device);
        var smooth = Smooth(maps);
        if (region is null)
        {
            return smooth.MoveToOuterDisposeScope();
        }

        var inside = InspectedArea.Cut(ones(1, side, side, device: maps.device), region);
        return InspectedArea.Cut(smooth / Smooth(inside).AtLeast(LeastCoverage), region).MoveToOuterDisposeScope();

        Tensor Smooth(Tensor map) => weights.matmul(map).matmul(weights.t());
    }

    /// <summary>Row by row, what each pixel of a line takes from the others: [S, S].</summary>
    private static float[] Weights(double sigma, int side)
    {
        var radius = (int)((Deviations * sigma) + 0.5);
        var kernel = Enumerable.Range(-radius, (2 * radius) + 1).Select(step => Math.Exp(-0.5 * step * step / (sigma * sigma))).ToArray();
        var sum = kernel.Sum();
        var weights = new double[side * side];
        for (var pixel = 0; pixel < side; pixel++)
        {
            for (var step = -radius; step <= radius; step++)
            {
                weights[(pixel * side) + Mirrored(pixel + step, side)] += kernel[step + radius] / sum;
            }
        }

        return Array.ConvertAll(weights, weight => (float)weight);
    }

    /// <summary>… 1 0 | 0 1 2 | 2 1 …</summary>
    private static int Mirrored(int pixel, int side)
    {
        var place = ((pixel % (2 * side)) + (2 * side)) % (2 * side);
        return place < side ? place : (2 * side) - 1 - place;
    }
}
