using Microsoft.ML.KagPrompt.Onnx;

namespace Microsoft.ML.KagPrompt.Methods.Common;

/// <summary>In ONNX operators what methods make of whole maps [N, S, S].</summary>
internal static class MapGraphs
{
    /// <summary>As <see cref="InspectedPixels.Only"/>: 0 outside the region.</summary>
    public static OnnxValue Only(this OnnxValue maps, ClassRegion? region)
    {
        if (region is null)
        {
            return maps;
        }

        var side = (long)Math.Sqrt(region.Inspected.Length);
        return maps * maps.Graph.Constant(Array.ConvertAll(region.Inspected, isInside => isInside ? 1f : 0f), side, side);
    }

    /// <summary>The pixels that count, row by row: [N, n].</summary>
    public static OnnxValue Pixels(this OnnxValue maps, ClassRegion? region)
    {
        var pixels = maps.Reshape(0, -1);
        return region is null ? pixels : pixels.Gather(1, region.Pixels);
    }

    /// <summary>As <see cref="ImageScore.TopMean"/>: [N].</summary>
    public static OnnxValue TopMean(this OnnxValue maps, int k, int side, ClassRegion? region)
        => maps.Pixels(region).MeanOfLargest(ImageScore.Count(k, (long)side * side, region?.Pixels.Length));

    /// <summary>As <see cref="InspectedPixels.Largest"/>: [N].</summary>
    public static OnnxValue LargestPixel(this OnnxValue maps, ClassRegion? region) => maps.Pixels(region).Largest(1);
}
