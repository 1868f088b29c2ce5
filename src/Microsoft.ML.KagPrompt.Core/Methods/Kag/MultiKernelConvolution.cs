using Microsoft.ML.KagPrompt.Backbones.Vit;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Onnx;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.KagPrompt.Methods.Kag;

/// <summary>
/// Equation (1) of KAG-prompt: kernels of several shapes over one layer's projected patches, each result resized back to the grid.
/// Paper: their sum at unit length over the channels (L2 is our reading). Released: their mean. One set of kernels serves all layers.
/// </summary>
internal static class MultiKernelConvolution
{
    // Values of the responses of a kernel above which one map is made after the other where no gradients are wanted.
    private const long LargestAtOnce = 1 << 24;

    /// <summary>[N, L, C'] → V: [N, L, C'].</summary>
    public static Tensor Forward(Tensor projected, GraphParameters parameters, KagVariant variant)
    {
        var (count, patches, width) = (projected.shape[0], projected.shape[1], projected.shape[2]);
        if (!is_grad_enabled() && count > 1 && projected.numel() > LargestAtOnce)
        {
            return cat([.. Enumerable.Range(0, (int)count).Select(i => One(projected.narrow(0, i, 1), parameters, variant))], 0);
        }

        var side = GridSide(patches);
        var grid = projected.transpose(1, 2).reshape(count, width, side, side);         // [N, C', H', W']
        Tensor? sum = null;
        for (var k = 0; k < GraphParameters.KernelSizes.Count; k++)
        {
            var response = Convolution.Apply(grid, parameters[$"kernels.{k}.weight"], parameters[$"kernels.{k}.bias"]);
            var resized = functional.interpolate(response, [side, side], mode: InterpolationMode.Bilinear, align_corners: true);
            sum = sum is null ? resized : sum.Plus(resized);
        }

        return variant.Combined(sum!, GraphParameters.KernelSizes.Count).flatten(2).transpose(1, 2).contiguous();
    }

    private static Tensor One(Tensor projected, GraphParameters parameters, KagVariant variant)
    {
        using var scope = NewDisposeScope();
        return Forward(projected, parameters, variant).MoveToOuterDisposeScope();
    }

    /// <summary>The same in ONNX operators: [N, side², C'] → [N, side², C'].</summary>
    public static OnnxValue Emit(OnnxValue projected, GraphParameters parameters, KagVariant variant, int side)
    {
        var grid = projected.AsMap(side);
        var sum = GraphParameters.KernelSizes.Select((size, k) =>
        {
            var (rows, columns) = (side - size.Height + 1, side - size.Width + 1);
            return Stretched(rows, columns, side)
                .ToImage(grid.Conv(parameters[$"kernels.{k}.weight"], parameters[$"kernels.{k}.bias"]), side, side);
        }).Aggregate((sum, response) => sum + response);
        return variant.Combined(sum, GraphParameters.KernelSizes.Count).Tokens();
    }

    /// <summary>Responses whose outer ones lie on the outer cells: "aligned corners".</summary>
    private static PatchGrid Stretched(int rows, int columns, int side)
        => new(rows, columns, 0, Step(rows, side), 0, Step(columns, side));

    private static double Step(int responses, int side) => (side - 1.0) / Math.Max(1, responses - 1);

    public static long GridSide(long patches)
    {
        var side = (long)Math.Round(Math.Sqrt(patches));
        return side * side == patches ? side
            : throw new ArgumentException($"patch tokens: expected a square number of patches, got {patches}.");
    }
}
