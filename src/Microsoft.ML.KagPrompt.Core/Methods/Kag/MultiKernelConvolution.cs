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
    /// <summary>[N, L, C'] → V: [N, L, C'].</summary>
    public static Tensor Forward(Tensor projected, GraphParameters parameters, KagVariant variant)
    {
        var (count, patches, width) = (projected.shape[0], projected.shape[1], projected.shape[2]);
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
