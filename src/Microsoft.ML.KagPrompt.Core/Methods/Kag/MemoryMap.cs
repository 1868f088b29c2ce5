using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Numerics;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.Kag;

/// <summary>Equation (13).</summary>
internal static class MemoryMap
{
    /// <summary>M_v at S × S from the distances to the bank, [B, L] → [B, S, S]. Released: the softmax over [similarity, 1 − similarity] of the upsampled similarity.</summary>
    public static Tensor FromDistances(Tensor distances, int imageSize, GraphVariant variant)
    {
        using var scope = NewDisposeScope();
        var map = MapUpsampling.ToImage(distances, imageSize);
        return (variant == GraphVariant.Paper ? map : map.Times(2).Plus(-1).sigmoid()).MoveToOuterDisposeScope();
    }
}
