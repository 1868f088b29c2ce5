namespace Microsoft.ML.KagPrompt.Synthesis;

/// <summary>A rectangle of pixels.</summary>
internal readonly record struct PixelRectangle(int Left, int Top, int Width, int Height)
{
    /// <summary>
    /// Cuts the rectangle out of <paramref name="channels"/> interleaved bytes a pixel and resizes it,
    /// bilinear without antialiasing as NSA does.
    /// </summary>
    public byte[] Resample(ReadOnlySpan<byte> image, int imageWidth, int channels, int width, int height)
    {
        var columns = Samples(Width, width);
        var rows = Samples(Height, height);
        var result = new byte[channels * width * height];
        for (var y = 0; y < height; y++)
        {
            var upper = image[(channels * (((Top + rows[y].First) * imageWidth) + Left))..];
            var lower = image[(channels * (((Top + rows[y].Second) * imageWidth) + Left))..];
            for (var x = 0; x < width; x++)
            {
                var (first, second, across) = columns[x];
                for (var channel = 0; channel < channels; channel++)
                {
                    var above = Mix(upper[(channels * first) + channel], upper[(channels * second) + channel], across);
                    var below = Mix(lower[(channels * first) + channel], lower[(channels * second) + channel], across);
                    result[(channels * ((y * width) + x)) + channel] = (byte)(Mix(above, below, rows[y].Fraction) + 0.5f);
                }
            }
        }

        return result;
    }

    private static float Mix(float a, float b, float fraction) => a + ((b - a) * fraction);

    private static (int First, int Second, float Fraction)[] Samples(int inputSize, int outputSize)
    {
        var samples = new (int, int, float)[outputSize];
        for (var i = 0; i < outputSize; i++)
        {
            var position = Math.Clamp(((i + 0.5f) * inputSize / outputSize) - 0.5f, 0, inputSize - 1);
            var first = (int)position;
            samples[i] = (first, Math.Min(first + 1, inputSize - 1), position - first);
        }

        return samples;
    }
}
