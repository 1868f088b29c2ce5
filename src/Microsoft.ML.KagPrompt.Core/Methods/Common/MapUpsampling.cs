using Microsoft.ML.KagPrompt.Methods.Kag;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.KagPrompt.Methods.Common;

/// <summary>From the patch grid to pixels.</summary>
internal static class MapUpsampling
{
    /// <summary>[..., L] → [..., S, S]: bilinear, aligned corners.</summary>
    public static Tensor ToImage(Tensor patches, int imageSize)
    {
        using var scope = NewDisposeScope();
        var leading = patches.shape[..^1];
        var side = MultiKernelConvolution.GridSide(patches.shape[^1]);
        var grid = patches.reshape(-1, 1, side, side);
        var pixels = functional.interpolate(grid, [imageSize, imageSize], mode: InterpolationMode.Bilinear, align_corners: true);
        return pixels.reshape([.. leading, imageSize, imageSize]).MoveToOuterDisposeScope();
    }
}
