using Microsoft.ML.KagPrompt.Imaging;

namespace Microsoft.ML.KagPrompt.Synthesis;

/// <summary>
/// Seamless cloning (Pérez, Gangnet, Blake: "Poisson Image Editing", 2003), step by step as OpenCV's seamlessClone does it.
/// </summary>
internal static class PoissonBlender
{
    /// <summary>The eroded mask keeps the seam this far inside the box.</summary>
    private const int Erosions = 3;

    /// <summary>Pastes the source's gradients: its texture stays, its level follows the surroundings.</summary>
    /// <param name="source">The patch.</param>
    /// <param name="mask">One byte a source pixel, nonzero where the patch counts; its border ring is ignored.</param>
    /// <param name="destination">The picture pasted into; left unchanged.</param>
    /// <param name="centre">Where the centre of the mask's bounding box falls in the destination.</param>
    /// <exception cref="ArgumentException">Mask and source differ in size, or the box does not lie within the destination.</exception>
    public static PixelBuffer NormalClone(PixelBuffer source, ReadOnlySpan<byte> mask, PixelBuffer destination, (int X, int Y) centre) =>
        Clone(source, mask, destination, centre, mixed: false);

    /// <summary>As <see cref="NormalClone"/>, but where the destination's gradient is the stronger one it stays.</summary>
    public static PixelBuffer MixedClone(PixelBuffer source, ReadOnlySpan<byte> mask, PixelBuffer destination, (int X, int Y) centre) =>
        Clone(source, mask, destination, centre, mixed: true);

    private static PixelBuffer Clone(
        PixelBuffer source, ReadOnlySpan<byte> mask, PixelBuffer destination, (int X, int Y) centre, bool mixed)
    {
        if (mask.Length != source.Width * source.Height)
        {
            throw new ArgumentException(
                $"mask: expected {source.Width} x {source.Height} values, the size of the source, got {mask.Length}.", nameof(mask));
        }

        var result = new PixelBuffer(destination.Width, destination.Height, (byte[])destination.Rgb.Clone());
        var box = BoundingBox(mask, source.Width, source.Height);
        var (left, top) = (centre.X - (box.Width / 2), centre.Y - (box.Height / 2));
        if (left < 0 || top < 0 || left + box.Width > destination.Width || top + box.Height > destination.Height)
        {
            throw new ArgumentException(
                $"centre: the patch's {box.Width} x {box.Height} box around ({centre.X}, {centre.Y}) "
                    + $"leaves the {destination.Width} x {destination.Height} destination.",
                nameof(centre));
        }

        if (box.Width < 3 || box.Height < 3)
        {
            return result;
        }

        var inside = new bool[box.Width * box.Height];
        for (var i = 0; i < inside.Length; i++)
        {
            inside[i] = mask[((box.Top + (i / box.Width)) * source.Width) + box.Left + (i % box.Width)] != 0;
        }

        var patch = new ClonePatch(box.Width, box.Height, Erode(inside, box.Width, box.Height));
        for (var channel = 0; channel < 3; channel++)
        {
            for (var i = 0; i < inside.Length; i++)
            {
                var (x, y) = (i % box.Width, i / box.Width);
                var sourceLevel = source.Rgb[(3 * (((box.Top + y) * source.Width) + box.Left + x)) + channel];
                patch.Source[i] = inside[i] ? sourceLevel : 0;
                patch.Destination[i] = destination.Rgb[(3 * (((top + y) * destination.Width) + left + x)) + channel];
            }

            patch.AddChannel(channel, mixed);
        }

        patch.Solve();
        for (var channel = 0; channel < 3; channel++)
        {
            for (var y = 1; y < box.Height - 1; y++)
            {
                for (var x = 1; x < box.Width - 1; x++)
                {
                    result.Rgb[(3 * (((top + y) * destination.Width) + left + x)) + channel] = patch.Level(channel, x, y);
                }
            }
        }

        return result;
    }

    private static (int Left, int Top, int Width, int Height) BoundingBox(ReadOnlySpan<byte> mask, int width, int height)
    {
        var (left, top, right, bottom) = (width, height, 0, 0);
        for (var y = 1; y < height - 1; y++)
        {
            for (var x = 1; x < width - 1; x++)
            {
                if (mask[(y * width) + x] != 0)
                {
                    (left, right) = (Math.Min(left, x), Math.Max(right, x + 1));
                    (top, bottom) = (Math.Min(top, y), y + 1);
                }
            }
        }

        return right == 0 ? (0, 0, 0, 0) : (left, top, right - left, bottom - top);
    }

    /// <summary>Three erosions by 3 × 3, outside the box counting as unset: set where the whole 7 × 7 neighbourhood is.</summary>
    private static bool[] Erode(bool[] inside, int width, int height)
    {
        // How many set pixels end here, along the row and then, of pixels with a full run, along the column.
        const int Side = (2 * Erosions) + 1;
        var rows = new bool[inside.Length];
        var eroded = new bool[inside.Length];
        for (var y = 0; y < height; y++)
        {
            for (int x = 0, run = 0; x < width; x++)
            {
                run = inside[(y * width) + x] ? run + 1 : 0;
                rows[(y * width) + Math.Max(x - Erosions, 0)] = run >= Side;
            }
        }

        for (var x = 0; x < width; x++)
        {
            for (int y = 0, run = 0; y < height; y++)
            {
                run = rows[(y * width) + x] ? run + 1 : 0;
                eroded[(Math.Max(y - Erosions, 0) * width) + x] = run >= Side;
            }
        }

        return eroded;
    }
}
