namespace Microsoft.ML.KagPrompt.Station.Pictures;

/// <summary>
/// How bright and how sharp a picture is, at a size of its own, so that cameras of any resolution compare. Take what
/// <see cref="PictureDecoder"/> read: what reduces a picture changes its sharpness.
/// </summary>
/// <param name="Brightness">Mean luminance, 0 to 255.</param>
/// <param name="Sharpness">Standard deviation of the Laplacian of the luminance: low where a picture is out of focus.</param>
internal sealed record PictureMeasure(double Brightness, double Sharpness)
{
    public const int Side = 512;

    public static PictureMeasure Compute(PixelBuffer picture)
    {
        var small = SmallPicture.Scale(picture, Side);
        var (width, height, rgb) = (small.Width, small.Height, small.Rgb);
        var light = new double[width * height];
        for (var p = 0; p < light.Length; p++)
        {
            light[p] = (0.299 * rgb[3 * p]) + (0.587 * rgb[(3 * p) + 1]) + (0.114 * rgb[(3 * p) + 2]);
        }

        var (sum, squares, count) = (0.0, 0.0, 0);
        for (var y = 1; y < height - 1; y++)
        {
            for (var x = 1; x < width - 1; x++)
            {
                var p = (y * width) + x;
                var edge = (4 * light[p]) - light[p - 1] - light[p + 1] - light[p - width] - light[p + width];
                (sum, squares, count) = (sum + edge, squares + (edge * edge), count + 1);
            }
        }

        var variance = count == 0 ? 0 : (squares / count) - (sum / count * (sum / count));
        return new(light.Average(), Math.Sqrt(Math.Max(0, variance)));
    }
}
