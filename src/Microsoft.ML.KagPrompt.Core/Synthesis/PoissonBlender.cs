using Microsoft.ML.KagPrompt.Imaging;

namespace Microsoft.ML.KagPrompt.Synthesis;

/// <summary>Pastes a patch so that its gradients go on and its border meets the surroundings (Pérez et al. 2003), by OpenCV's procedure for a normal clone.</summary>
internal static class PoissonBlender
{
    private const int Erosions = 3;

    /// <summary>The destination with the masked part of the source centred on a point. Both keep their pixels.</summary>
    /// <param name="source">The patch.</param>
    /// <param name="mask">Non-zero where the patch counts, one byte a pixel of it.</param>
    /// <param name="destination">The picture.</param>
    /// <param name="centreX">Column the mask's bounding box is centred on.</param>
    /// <param name="centreY">Row it is centred on.</param>
    /// <exception cref="ArgumentException">The box does not fit into the destination.</exception>
    public static PixelBuffer NormalClone(PixelBuffer source, ReadOnlySpan<byte> mask, PixelBuffer destination, int centreX, int centreY)
    {
        var inner = WithoutBorder(mask, source.Width, source.Height);
        if (BoundingBox(inner, source.Width, source.Height) is not { } box)
        {
            return destination;
        }

        var (left, top) = (centreX - (box.Width / 2), centreY - (box.Height / 2));
        if (left < 0 || top < 0 || left + box.Width > destination.Width || top + box.Height > destination.Height)
        {
            throw new ArgumentException($"centre: a patch of {box.Width} x {box.Height} around ({centreX}, {centreY}) leaves the {destination.Width} x {destination.Height} destination.", nameof(centreX));
        }

        var patchMask = new bool[box.Width * box.Height];
        for (var y = 0; y < box.Height; y++)
        {
            for (var x = 0; x < box.Width; x++)
            {
                patchMask[(y * box.Width) + x] = inner[((box.Top + y) * source.Width) + box.Left + x];
            }
        }

        var eroded = Erode(patchMask, box.Width, box.Height);
        var rgb = (byte[])destination.Rgb.Clone();
        for (var channel = 0; channel < 3; channel++)
        {
            var patch = Channel(source, channel, box.Left, box.Top, box.Width, box.Height);
            for (var p = 0; p < patch.Length; p++)
            {
                patch[p] = patchMask[p] ? patch[p] : 0;
            }

            var ground = Channel(destination, channel, left, top, box.Width, box.Height);
            var blended = Blend(patch, ground, eroded, box.Width, box.Height);
            for (var y = 0; y < box.Height; y++)
            {
                for (var x = 0; x < box.Width; x++)
                {
                    rgb[((((top + y) * destination.Width) + left + x) * 3) + channel] = (byte)Math.Clamp(Math.Round(blended[(y * box.Width) + x]), 0, 255);
                }
            }
        }

        return new PixelBuffer(destination.Width, destination.Height, rgb);
    }

    /// <summary>The divergence of the mixed gradient field, solved inside with the destination on the rectangle's border.</summary>
    private static double[] Blend(double[] patch, double[] ground, bool[] inside, int width, int height)
    {
        var result = (double[])ground.Clone();
        var (rows, columns) = (height - 2, width - 2);
        if (rows < 1 || columns < 1)
        {
            return result;
        }

        double GradientX(int x, int y) => Difference(inside[(y * width) + x] ? patch : ground, (y * width) + x, 1);
        double GradientY(int x, int y) => Difference(inside[(y * width) + x] ? patch : ground, (y * width) + x, width);
        var f = new double[rows * columns];
        for (var y = 1; y <= rows; y++)
        {
            for (var x = 1; x <= columns; x++)
            {
                var divergence = GradientX(x, y) - GradientX(x - 1, y) + GradientY(x, y) - GradientY(x, y - 1);
                var border = (x == 1 ? ground[y * width] : 0) + (x == columns ? ground[(y * width) + width - 1] : 0)
                    + (y == 1 ? ground[x] : 0) + (y == rows ? ground[((height - 1) * width) + x] : 0);
                f[((y - 1) * columns) + x - 1] = divergence - border;
            }
        }

        PoissonSolver.Solve(f, rows, columns);
        for (var y = 1; y <= rows; y++)
        {
            f.AsSpan((y - 1) * columns, columns).CopyTo(result.AsSpan((y * width) + 1));
        }

        return result;
    }

    /// <summary>Forward difference.</summary>
    private static double Difference(double[] values, int at, int step) => values[at + step] - values[at];

    private static bool[] WithoutBorder(ReadOnlySpan<byte> mask, int width, int height)
    {
        var inner = new bool[width * height];
        for (var y = 1; y < height - 1; y++)
        {
            for (var x = 1; x < width - 1; x++)
            {
                inner[(y * width) + x] = mask[(y * width) + x] != 0;
            }
        }

        return inner;
    }

    private static (int Left, int Top, int Width, int Height)? BoundingBox(bool[] mask, int width, int height)
    {
        var (left, top, right, bottom) = (width, height, -1, -1);
        for (var p = 0; p < mask.Length; p++)
        {
            if (mask[p])
            {
                (left, top) = (Math.Min(left, p % width), Math.Min(top, p / width));
                (right, bottom) = (Math.Max(right, p % width), Math.Max(bottom, p / width));
            }
        }

        return right < 0 ? null : (left, top, right - left + 1, bottom - top + 1);
    }

    /// <summary>Three times 3 × 3, which is once 7 × 7; what lies outside the box counts as unset.</summary>
    private static bool[] Erode(bool[] mask, int width, int height)
    {
        var eroded = new bool[mask.Length];
        for (var y = Erosions; y < height - Erosions; y++)
        {
            for (var x = Erosions; x < width - Erosions; x++)
            {
                var all = true;
                for (var dy = -Erosions; dy <= Erosions && all; dy++)
                {
                    all = !mask.AsSpan(((y + dy) * width) + x - Erosions, (2 * Erosions) + 1).Contains(false);
                }

                eroded[(y * width) + x] = all;
            }
        }

        return eroded;
    }

    private static double[] Channel(PixelBuffer image, int channel, int left, int top, int width, int height)
    {
        var values = new double[width * height];
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                values[(y * width) + x] = image.Rgb[((((top + y) * image.Width) + left + x) * 3) + channel];
            }
        }

        return values;
    }
}
