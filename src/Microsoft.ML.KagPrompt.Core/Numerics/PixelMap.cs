using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Numerics;

/// <summary>
/// Maps of a batch in the processor's memory, channels last, with a border of zeros: [N, H + 2b, W + 2b, C]. What a row of a kernel sees
/// of it lies side by side. Owns its memory.
/// </summary>
internal sealed unsafe class PixelMap : IDisposable
{
    // Tiles at the end of the last row read beyond it, and throw away what comes of it.
    private const int Beyond = 64;

    private readonly Tensor memory;

    /// <summary>A map whose border is zero; what lies within is to be written.</summary>
    public PixelMap(int images, int height, int width, int channels, int border)
    {
        (Images, Height, Width, Channels, Border) = (images, height, width, channels, border);
        memory = empty(((long)images * Line * (height + (2 * border))) + ((long)Beyond * channels)).DetachFromDisposeScope();
        First = TensorMemory.First(memory);
        for (var image = 0; image < images; image++)
        {
            Clear(At(image, -border, -border), border * Line);
            Clear(At(image, height, -border), border * Line);
            for (var y = 0; y < height; y++)
            {
                Clear(At(image, y, -border), border * channels);
                Clear(At(image, y, width), border * channels);
            }
        }

        Clear(First + ((nint)images * Line * (height + (2 * border))), Beyond * channels);
    }

    public int Images { get; }

    public int Height { get; }

    public int Width { get; }

    public int Channels { get; }

    /// <summary>b.</summary>
    public int Border { get; }

    /// <summary>Numbers from a pixel to the one below.</summary>
    public int Line => (Width + (2 * Border)) * Channels;

    private float* First { get; }

    /// <summary>[N, C, H, W] with its border around it.</summary>
    public static PixelMap FromPlanes(Tensor planes, int border)
    {
        var (images, channels, height, width) = ((int)planes.shape[0], (int)planes.shape[1], (int)planes.shape[2], (int)planes.shape[3]);
        using var source = planes.contiguous();
        var map = new PixelMap(images, height, width, channels, border);
        var from = TensorMemory.First(source);
        for (var image = 0; image < images; image++)
        {
            for (var channel = 0; channel < channels; channel++)
            {
                for (var y = 0; y < height; y++, from += width)
                {
                    var to = map.At(image, y, 0) + channel;
                    for (var x = 0; x < width; x++)
                    {
                        to[x * channels] = from[x];
                    }
                }
            }
        }

        return map;
    }

    /// <summary>A pixel's channels; also of the border.</summary>
    public float* At(int image, int y, int x)
        => First + ((((nint)image * (Height + (2 * Border))) + y + Border) * Line) + ((x + Border) * Channels);

    /// <summary>As a tensor of its own [N, C, H, W], channels last in memory. The caller owns it.</summary>
    public Tensor ToTensor()
    {
        using var scope = NewDisposeScope();
        var (rows, across) = ((long)Images * (Height + (2 * Border)), Width + (2 * Border));
        return memory.narrow(0, 0, rows * across * Channels).view(Images, Height + (2 * Border), across, Channels)
            .narrow(1, Border, Height).narrow(2, Border, Width).contiguous().permute(0, 3, 1, 2).MoveToOuterDisposeScope();
    }

    public void Dispose() => memory.Dispose();

    private static void Clear(float* first, int count) => new Span<float>(first, count).Clear();
}
