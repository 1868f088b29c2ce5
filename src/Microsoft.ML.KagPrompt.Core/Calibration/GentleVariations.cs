namespace Microsoft.ML.KagPrompt.Calibration;

/// <summary>One picture as the camera might have taken it again: a little moved, turned, brighter, darker, blurred.</summary>
internal static class GentleVariations
{
    private const double Shift = 0.04;
    private const double Degrees = 6;
    private const double Light = 0.15;

    /// <summary>The variations of a square picture; what comes in over the edge repeats the edge.</summary>
    public static IReadOnlyList<PixelBuffer> Of(PixelBuffer square) =>
    [
        Moved(square, Shift, Shift, 0, 1), Moved(square, -Shift, -Shift, 0, 1),
        Moved(square, 0, 0, Degrees, 1), Moved(square, 0, 0, -Degrees, 1),
        Moved(square, 0, 0, 0, 1 + Light), Moved(square, 0, 0, 0, 1 - Light),
        Blurred(square),
    ];

    /// <summary>Moved by shares of the side, turned about the middle, its light multiplied; bilinear.</summary>
    private static PixelBuffer Moved(PixelBuffer image, double right, double down, double degrees, double gain)
    {
        var (sine, cosine) = Math.SinCos(degrees * Math.PI / 180);
        var (middleX, middleY) = ((image.Width - 1) / 2.0, (image.Height - 1) / 2.0);
        return Rendered(image, (x, y, channel) =>
        {
            var (u, v) = (x - middleX - (right * image.Width), y - middleY - (down * image.Height));
            return gain * Value(image, middleX + (cosine * u) - (sine * v), middleY + (sine * u) + (cosine * v), channel);
        });
    }

    private static PixelBuffer Blurred(PixelBuffer image) => Rendered(image, (x, y, channel) =>
    {
        var sum = 0.0;
        for (var i = 0; i < 9; i++)
        {
            sum += Value(image, x + (i % 3) - 1, y + (i / 3) - 1, channel);
        }

        return sum / 9;
    });

    private static PixelBuffer Rendered(PixelBuffer image, Func<int, int, int, double> value)
    {
        var rgb = new byte[image.Rgb.Length];
        for (var i = 0; i < rgb.Length; i++)
        {
            rgb[i] = (byte)Math.Clamp(Math.Round(value(i / 3 % image.Width, i / 3 / image.Width, i % 3)), 0, 255);
        }

        return new PixelBuffer(image.Width, image.Height, rgb);
    }

    private static double Value(PixelBuffer image, double x, double y, int channel)
    {
        (x, y) = (Math.Clamp(x, 0, image.Width - 1), Math.Clamp(y, 0, image.Height - 1));
        var (left, top) = ((int)x, (int)y);
        var (right, bottom) = (Math.Min(left + 1, image.Width - 1), Math.Min(top + 1, image.Height - 1));
        double At(int column, int row) => image.Rgb[(((row * image.Width) + column) * 3) + channel];
        var upper = At(left, top) + ((x - left) * (At(right, top) - At(left, top)));
        var lower = At(left, bottom) + ((x - left) * (At(right, bottom) - At(left, bottom)));
        return upper + ((y - top) * (lower - upper));
    }
}
