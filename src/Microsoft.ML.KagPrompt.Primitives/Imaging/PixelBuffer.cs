namespace Microsoft.ML.KagPrompt;

/// <summary>An 8-bit RGB picture in memory: row by row, three bytes a pixel, no padding.</summary>
/// <remarks>
/// Immutable by contract: the buffer is not copied, so who made it must not change it afterwards. Safe to share between threads.
/// </remarks>
public sealed class PixelBuffer
{
    /// <summary>Wraps <paramref name="rgb"/> (length <c>3 · width · height</c>) without copying it.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A side is not positive.</exception>
    /// <exception cref="ArgumentException">The array's length does not fit the size.</exception>
    public PixelBuffer(int width, int height, byte[] rgb)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        ArgumentNullException.ThrowIfNull(rgb);
        if (rgb.LongLength != 3L * width * height)
        {
            throw new ArgumentException(
                $"rgb: expected {3L * width * height} bytes for {width} x {height} pixels, got {rgb.LongLength}.", nameof(rgb));
        }

        Width = width;
        Height = height;
        Rgb = rgb;
    }

    /// <summary>Pixels a row.</summary>
    public int Width { get; }

    /// <summary>Number of rows.</summary>
    public int Height { get; }

    /// <summary>The bytes: R, G, B of the top-left pixel first.</summary>
    public byte[] Rgb { get; }
}
