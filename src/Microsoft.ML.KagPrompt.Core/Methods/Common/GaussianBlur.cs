using System.Collections.Concurrent;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Onnx;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.Common;

/// <summary>
/// SciPy's gaussian_filter as published methods use it: separable, cut off at 4 σ, its weights' sum 1, images mirrored about their edges
/// ("reflect": c b a | a b c), again and again where they are smaller than the kernel.
/// </summary>
internal static class GaussianBlur
{
    private const double Truncate = 4;

    // Of less, a value would be told by what is left of a rounding.
    private const double LeastCoverage = 1e-4;

    private static readonly ConcurrentDictionary<(int Side, double Sigma), float[]> Known = new();

    /// <summary>[..., H, W] → the same shape. The caller owns it.</summary>
    public static Tensor Apply(Tensor maps, double sigma)
    {
        using var scope = NewDisposeScope();
        var down = Matrix((int)maps.shape[^2], sigma, maps.device);
        var across = maps.shape[^1] == maps.shape[^2] ? down : Matrix((int)maps.shape[^1], sigma, maps.device);
        return down.matmul(maps).matmul(across.t()).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The same of the inspected pixels alone, the others 0: near the border the others count the more. Null: all are inspected.
    /// </summary>
    public static Tensor Apply(Tensor maps, double sigma, bool[]? inspected)
    {
        if (inspected is null)
        {
            return Apply(maps, sigma);
        }

        using var scope = NewDisposeScope();
        var mask = tensor(Array.ConvertAll(inspected, isInside => isInside ? 1f : 0f), [maps.shape[^2], maps.shape[^1]],
            device: maps.device);
        return (Apply(maps * mask, sigma) / Apply(mask, sigma).AtLeast(LeastCoverage) * mask).MoveToOuterDisposeScope();
    }

    /// <summary>The same in ONNX operators: [N, side, side].</summary>
    public static OnnxValue Emit(OnnxValue maps, int side, double sigma, bool[]? inspected)
    {
        using var scope = NewDisposeScope();
        // What a pixel takes of another, that takes of it: turned over, the matrix is the same.
        var weights = maps.Graph.Weight(Matrix(side, sigma, CPU));
        OnnxValue Blurred(OnnxValue values) => weights.MatMul(values).MatMul(weights);
        if (inspected is null)
        {
            return Blurred(maps);
        }

        var inside = tensor(Array.ConvertAll(inspected, isInside => isInside ? 1f : 0f), [side, side]);
        var (mask, coverage) = (maps.Graph.Constant(inside), maps.Graph.Constant(Apply(inside, sigma).AtLeast(LeastCoverage)));
        return Blurred(maps * mask) / coverage * mask;
    }

    private static Tensor Matrix(int side, double sigma, Device device)
        => tensor(Known.GetOrAdd((side, sigma), key => Weights(key.Side, key.Sigma)), [side, side], device: device);

    /// <summary>Row by row, what each pixel takes of every other: [side, side].</summary>
    private static float[] Weights(int side, double sigma)
    {
        var radius = (int)((Truncate * sigma) + 0.5);
        var kernel = Enumerable.Range(-radius, (2 * radius) + 1).Select(x => Math.Exp(-0.5 * x * x / (sigma * sigma))).ToArray();
        var sum = kernel.Sum();
        var weights = new double[side * side];
        for (var pixel = 0; pixel < side; pixel++)
        {
            for (var x = -radius; x <= radius; x++)
            {
                weights[(pixel * side) + Mirrored(pixel + x, side)] += kernel[x + radius] / sum;
            }
        }

        return Array.ConvertAll(weights, weight => (float)weight);
    }

    private static int Mirrored(int place, int side)
    {
        var within = ((place % (2 * side)) + (2 * side)) % (2 * side);
        return within < side ? within : (2 * side) - 1 - within;
    }
}
