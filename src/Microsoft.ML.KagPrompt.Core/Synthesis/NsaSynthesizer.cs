using Microsoft.ML.KagPrompt.Imaging;

namespace Microsoft.ML.KagPrompt.Synthesis;

/// <summary>Natural synthetic anomalies (NSA, Schlüter et al. 2022): patches of another normal image, resized and Poisson-blended into this one.</summary>
/// <remarks>Thread-safe: what it draws depends on its arguments alone.</remarks>
internal sealed class NsaSynthesizer(SynthesisOptions options)
{
    private const int Tries = 200;
    private const int Redraws = 10;
    private const int SmallestPatch = 50;
    private const double MaskThreshold = 0.3;

    /// <summary>A copy of the destination with one or two patches of the source, redrawn (ten times at most) while no label remains.</summary>
    public SyntheticImage Synthesize(PixelBuffer destination, PixelBuffer source, Random random)
    {
        var objects = options.Background is { } background ? (From: ObjectMask(source, background), To: ObjectMask(destination, background)) : default;
        SyntheticImage result;
        var redraws = 0;
        do
        {
            var image = destination;
            for (var patches = random.Next(2) == 0 ? 1 : 2; patches > 0; patches--)
            {
                image = AddPatch(image, source, objects.From, objects.To, random);
            }

            result = SynthesisLabel.Of(destination, image, options, MaskThreshold);
        }
        while (!result.HasDefect && ++redraws < Redraws);
        return result;
    }

    private PixelBuffer AddPatch(PixelBuffer image, PixelBuffer source, bool[]? from, bool[]? to, Random random)
    {
        if (DrawSource(source, from, random) is not { } cut)
        {
            return image;
        }

        var factor = Math.Clamp(random.NextNormal(1, 0.5), options.Resize.Low, options.Resize.High);
        var height = Math.Min((int)Math.Round(Math.Clamp(cut.Height * factor, options.Height.Low * image.Height, options.Height.High * image.Height)), image.Height);
        var width = Math.Min((int)Math.Round(Math.Clamp(cut.Width * factor, options.Width.Low * image.Width, options.Width.High * image.Width)), image.Width);
        if (width * height < SmallestPatch)
        {
            return image;
        }

        var patch = Resize(Crop(source, cut), width, height);
        var cutObject = from is null ? null : NearestResize(from, source.Width, cut, width, height);
        if (DrawDestination(image, cutObject, to, width, height, random) is not { } place)
        {
            return image;
        }

        var mask = new byte[width * height];
        Array.Fill(mask, (byte)255);
        var (centreX, centreY) = (place.Left + width - (width / 2), place.Top + (height / 2));
        return PoissonBlender.NormalClone(patch, mask, image, centreX, centreY);
    }

    /// <summary>A rectangle of random half-sizes around a random centre, clipped to the image; with object masks it must hold some object.</summary>
    private (int Left, int Top, int Width, int Height)? DrawSource(PixelBuffer source, bool[]? from, Random random)
    {
        for (var attempt = 0; attempt < Tries; attempt++)
        {
            var halfHeight = HalfSize(source.Height, options.Height, random);
            var halfWidth = HalfSize(source.Width, options.Width, random);
            var (x, y) = (random.Next(source.Width), random.Next(source.Height));
            var (left, top) = (Math.Max(0, x - halfWidth), Math.Max(0, y - halfHeight));
            var cut = (Left: left, Top: top, Width: Math.Min(source.Width, x + halfWidth) - left, Height: Math.Min(source.Height, y + halfHeight) - top);
            if (cut.Width > 0 && cut.Height > 0 && (from is null || Count(from, source.Width, cut) > 0))
            {
                return cut;
            }
        }

        return null;
    }

    private static int HalfSize(int side, (double Low, double High) bounds, Random random)
        => (int)Math.Round(Math.Clamp((0.03 + random.NextGamma2(0.05)) * side, bounds.Low * side, bounds.High * side));

    /// <summary>A place where the patch fits; with object masks, object must fall on object by more than a quarter of the patch's.</summary>
    private static (int Left, int Top)? DrawDestination(PixelBuffer image, bool[]? cutObject, bool[]? to, int width, int height, Random random)
    {
        var total = cutObject?.Count(set => set) ?? 0;
        for (var attempt = 0; attempt < Tries; attempt++)
        {
            var (left, top) = (random.Next(image.Width - width + 1), random.Next(image.Height - height + 1));
            if (cutObject is null || to is null)
            {
                return (left, top);
            }

            var overlap = 0;
            for (var y = 0; y < height; y++)
            {
                for (var x = 0; x < width; x++)
                {
                    overlap += cutObject[(y * width) + x] && to[((top + y) * image.Width) + left + x] ? 1 : 0;
                }
            }

            if (overlap * 4 > total)
            {
                return (left, top);
            }
        }

        return null;
    }

    private static PixelBuffer Crop(PixelBuffer image, (int Left, int Top, int Width, int Height) cut)
    {
        var rgb = new byte[cut.Width * cut.Height * 3];
        for (var y = 0; y < cut.Height; y++)
        {
            image.Rgb.AsSpan((((cut.Top + y) * image.Width) + cut.Left) * 3, cut.Width * 3).CopyTo(rgb.AsSpan(y * cut.Width * 3));
        }

        return new PixelBuffer(cut.Width, cut.Height, rgb);
    }

    private static PixelBuffer Resize(PixelBuffer image, int width, int height) => BicubicResampler.Resize(image, width, height, 0, 0, width, height);

    private static bool[] NearestResize(bool[] mask, int stride, (int Left, int Top, int Width, int Height) cut, int width, int height)
    {
        var result = new bool[width * height];
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                result[(y * width) + x] = mask[((cut.Top + (y * cut.Height / height)) * stride) + cut.Left + (x * cut.Width / width)];
            }
        }

        return result;
    }

    private static int Count(bool[] mask, int stride, (int Left, int Top, int Width, int Height) cut)
    {
        var count = 0;
        for (var y = 0; y < cut.Height; y++)
        {
            count += mask.AsSpan(((cut.Top + y) * stride) + cut.Left, cut.Width).Count(true);
        }

        return count;
    }

    /// <summary>Where the picture differs from its even background, specks removed.</summary>
    private static bool[] ObjectMask(PixelBuffer image, (int Grey, int Threshold) background)
    {
        var mask = new byte[image.Width * image.Height];
        for (var p = 0; p < mask.Length; p++)
        {
            mask[p] = Math.Abs(Grey.Of(image.Rgb, p) - background.Grey) > background.Threshold ? (byte)1 : (byte)0;
        }

        return [.. MedianFilter.Square(mask, image.Width, image.Height, 7).Select(value => value != 0)];
    }
}
