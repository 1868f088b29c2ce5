using MathNet.Numerics.Distributions;

namespace Microsoft.ML.KagPrompt.Synthesis;

/// <summary>Draws which rectangle is cut, how large it is pasted and where (NSA, steps 1 to 4).</summary>
internal sealed class PatchSampler(SynthesisOptions options, int width, int height, Random random)
{
    private const double HalfSizeOffset = 0.03;
    private const double HalfSizeShape = 2;
    private const double HalfSizeScale = 0.05;
    private const double ScaleDeviation = 0.5;

    private readonly (int Min, int Max) widths = Bounds(options.MinWidth, options.MaxWidth, width);
    private readonly (int Min, int Max) heights = Bounds(options.MinHeight, options.MaxHeight, height);

    /// <summary>A rectangle of the source, clipped to it; null when none of the tries held enough of the object.</summary>
    public PixelRectangle? Cut(byte[]? sourceObject)
    {
        var (halfWidth, halfHeight) = (HalfSize(width, widths), HalfSize(height, heights));
        for (var attempt = 0; attempt < options.PlacementTries; attempt++)
        {
            var x = random.Next(widths.Min, Math.Max(width - widths.Min, widths.Min + 1));
            var y = random.Next(heights.Min, Math.Max(height - heights.Min, heights.Min + 1));
            var (left, top) = (Math.Max(x - halfWidth, 0), Math.Max(y - halfHeight, 0));
            var cut = new PixelRectangle(left, top, Math.Min(x + halfWidth, width) - left, Math.Min(y + halfHeight, height) - top);
            if (sourceObject is null || CountObject(sourceObject, cut) > options.MinObjectShare * cut.Width * cut.Height)
            {
                return cut;
            }
        }

        return null;
    }

    /// <summary>The size a cut is pasted in: its aspect is kept unless a bound forbids.</summary>
    public (int Width, int Height) Scale(PixelRectangle cut)
    {
        var factor = Math.Clamp(Normal.Sample(random, 1, ScaleDeviation), options.MinScale, options.MaxScale);
        var scaledHeight = Math.Clamp(factor * cut.Height, heights.Min, heights.Max);
        var scaledWidth = Math.Clamp((int)(scaledHeight / cut.Height * cut.Width), widths.Min, widths.Max);
        return (scaledWidth, Math.Clamp((int)((double)scaledWidth / cut.Width * cut.Height), heights.Min, heights.Max));
    }

    /// <summary>
    /// Where a patch of a size goes; null when it does not fit, or its object met too little of the destination's in all tries.
    /// </summary>
    public PixelRectangle? Place(int patchWidth, int patchHeight, byte[]? patchObject, byte[]? destinationObject)
    {
        // One pixel is kept free on each side: the blending box may lie a pixel further right.
        var (freeX, freeY) = (width - patchWidth - 2, height - patchHeight - 2);
        if (freeX < 1 || freeY < 1)
        {
            return null;
        }

        for (var attempt = 0; attempt < options.PlacementTries; attempt++)
        {
            var place = new PixelRectangle(1 + random.Next(freeX), 1 + random.Next(freeY), patchWidth, patchHeight);
            if (patchObject is null || destinationObject is null || Overlaps(patchObject, destinationObject, place))
            {
                return place;
            }
        }

        return null;
    }

    private static (int Min, int Max) Bounds(double min, double max, int side)
    {
        var least = Math.Max((int)Math.Round(min * side), 1);
        return (least, Math.Max((int)Math.Round(max * side), least));
    }

    private int HalfSize(int side, (int Min, int Max) bounds) =>
        (int)Math.Clamp((HalfSizeOffset + Gamma.Sample(random, HalfSizeShape, 1 / HalfSizeScale)) * side, bounds.Min, bounds.Max);

    private int CountObject(byte[] sourceObject, PixelRectangle cut)
    {
        var count = 0;
        for (var y = cut.Top; y < cut.Top + cut.Height; y++)
        {
            foreach (var pixel in sourceObject.AsSpan((y * width) + cut.Left, cut.Width))
            {
                count += pixel;
            }
        }

        return count;
    }

    private bool Overlaps(byte[] patchObject, byte[] destinationObject, PixelRectangle place)
    {
        var (count, common) = (0, 0);
        for (var y = 0; y < place.Height; y++)
        {
            var below = destinationObject.AsSpan(((place.Top + y) * width) + place.Left, place.Width);
            var above = patchObject.AsSpan(y * place.Width, place.Width);
            for (var x = 0; x < above.Length; x++)
            {
                count += above[x];
                common += above[x] & below[x];
            }
        }

        return count > options.MinObjectShare * patchObject.Length && common > options.MinOverlap * count;
    }
}
