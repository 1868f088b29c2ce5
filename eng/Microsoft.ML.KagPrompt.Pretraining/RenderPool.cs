using Microsoft.ML.KagPrompt.Pretraining.Rendering;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Pretraining;

/// <summary>A growing, then renewed, stock of rendered pictures, drawn on a thread of its own.</summary>
internal sealed class RenderPool : IDisposable
{
    public const int Side = 224;

    private readonly Scene[] scenes;
    private readonly CancellationTokenSource stop = new();
    private readonly Thread painter;
    private int painted;

    public RenderPool(int capacity, int seed)
    {
        scenes = new Scene[capacity];
        var renderer = new SceneRenderer(Side);
        painter = new Thread(() =>
        {
            for (var i = 0; !stop.IsCancellationRequested; i++)
            {
                Volatile.Write(ref scenes[i % capacity], renderer.Render(unchecked((seed * 1_000_003) + i), defective: (i & 3) == 0));
                Volatile.Write(ref painted, i + 1);
                if (i >= capacity)
                {
                    // A full stock is renewed slowly: the processor is for training.
                    Thread.Sleep(300);
                }
            }
        })
        { IsBackground = true, Priority = ThreadPriority.BelowNormal };
        painter.Start();
    }

    public int Painted => Volatile.Read(ref painted);

    public void WaitFor(int count)
    {
        while (Painted < count)
        {
            Thread.Sleep(50);
        }
    }

    /// <summary>Random squares of the stock, turned, mirrored, shrunk and recoloured: [B, 3, size, size] in −1..1.</summary>
    public Tensor Crops(int count, int size, Random random)
    {
        var plane = size * size;
        var values = new float[count * 3 * plane];
        var ready = Math.Min(Painted, scenes.Length);
        for (var i = 0; i < count; i++)
        {
            Crop(Volatile.Read(ref scenes[random.Next(ready)]).Rgb, values.AsSpan(i * 3 * plane, 3 * plane), size, random);
        }

        return tensor(values, [count, 3, size, size]);
    }

    public void Dispose()
    {
        stop.Cancel();
        painter.Join();
        stop.Dispose();
    }

    private static void Crop(byte[] rgb, Span<float> target, int size, Random random)
    {
        var step = Side >= 2 * size && random.Next(2) == 0 ? 2 : 1;
        var (left, top) = (random.Next(Side - (size * step) + 1), random.Next(Side - (size * step) + 1));
        var (mirror, turn) = (random.Next(2) == 0, random.Next(2) == 0);
        var grey = random.Next(6) == 0;
        var (gain, lift) = (0.7f + (0.6f * random.NextSingle()), (random.NextSingle() - 0.5f) * 0.3f);
        var plane = size * size;
        for (var y = 0; y < size; y++)
        {
            for (var x = 0; x < size; x++)
            {
                var (u, v) = turn ? (y, x) : (x, y);
                u = mirror ? size - 1 - u : u;
                var at = ((((top + (v * step)) * Side) + left + (u * step)) * 3);
                var mean = (rgb[at] + rgb[at + 1] + rgb[at + 2]) / 3f;
                for (var c = 0; c < 3; c++)
                {
                    var value = step == 1 ? rgb[at + c]
                        : (rgb[at + c] + rgb[at + 3 + c] + rgb[at + (Side * 3) + c] + rgb[at + (Side * 3) + 3 + c]) / 4f;
                    value = grey ? mean : value;
                    target[(c * plane) + (y * size) + x] = Math.Clamp(((value / 127.5f) - 1) * gain + lift, -1, 1);
                }
            }
        }
    }
}
