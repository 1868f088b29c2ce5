using System.Collections.Concurrent;
using System.Threading.Channels;

namespace Microsoft.ML.KagPrompt.Hosting.Tests;

/// <summary>
/// A model whose score is the first byte of the picture, and whose time the test decides. A picture of <see cref="Poison"/> fails its batch,
/// one of <see cref="Fatal"/> as a fault of the process would.
/// </summary>
internal sealed class FakeModel(string name, int concurrentBatches) : IInspectionModel
{
    public const int Side = 8;
    public const byte Poison = 255, Fatal = 254;

    private readonly Channel<byte[]> started = Channel.CreateUnbounded<byte[]>();
    private TaskCompletionSource gate = Open();
    private int calls, preparing;

    public string Name => name;

    public string ClassName => "object";

    public ImageOptions Images { get; } = new() { Size = Side };

    public int ConcurrentBatches => concurrentBatches;

    public bool IsDisposed { get; private set; }

    /// <summary>The first bytes of each batch's pictures, but of the one that warms up.</summary>
    public ConcurrentQueue<byte[]> Batches { get; } = new();

    /// <summary>Most pictures that were brought to its size at once.</summary>
    public int MostPreparedAtOnce { get; private set; }

    /// <summary>Batches from now on wait.</summary>
    public void Hold() => gate = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Release() => gate.TrySetResult();

    /// <summary>The next batch, once it is under way.</summary>
    public async Task<byte[]> StartedAsync() => await started.Reader.ReadAsync().AsTask().WaitAsync(Patience.Long);

    public PixelBuffer ToModelSize(PixelBuffer image)
    {
        var now = Interlocked.Increment(ref preparing);
        lock (started)
        {
            MostPreparedAtOnce = Math.Max(MostPreparedAtOnce, now);
        }

        Thread.SpinWait(10_000);
        Interlocked.Decrement(ref preparing);
        return new(Side, Side, [.. Enumerable.Repeat(image.Rgb[0], 3 * Side * Side)]);
    }

    public async Task<IReadOnlyList<Inspection>> InspectAsync(IReadOnlyList<PixelBuffer> images, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        if (Interlocked.Increment(ref calls) > 1)
        {
            byte[] levels = [.. images.Select(image => image.Rgb[0])];
            Batches.Enqueue(levels);
            started.Writer.TryWrite(levels);
            await gate.Task.WaitAsync(cancellationToken);
            ObjectDisposedException.ThrowIf(IsDisposed, this);
            if (levels.Contains(Poison))
            {
                throw new NotFiniteException("poison");
            }

            if (levels.Contains(Fatal))
            {
                throw new InvalidOperationException("the device is gone");
            }
        }

        return [.. images.Select(image => new Inspection(image.Rgb[0], image.Rgb[0] > 100, 100, 0.5f, new float[Side * Side], Side, Side))];
    }

    public float[] MapToImage(ReadOnlySpan<float> map, int width, int height) => new float[width * height];

    /// <summary>Why it cannot be disposed; null: it can.</summary>
    public Exception? DisposeFault { get; set; }

    public void Dispose()
    {
        IsDisposed = true;
        if (DisposeFault is not null)
        {
            throw DisposeFault;
        }
    }

    private static TaskCompletionSource Open()
    {
        var open = new TaskCompletionSource();
        open.SetResult();
        return open;
    }
}

/// <summary>Files "FAKE name"; "FAKE broken" is one that cannot be loaded.</summary>
internal sealed class FakeLoader(int concurrentBatches = 1) : IInspectionModelLoader
{
    public ConcurrentQueue<FakeModel> Loaded { get; } = new();

    public FakeModel Last => Loaded.Last();

    /// <summary>Called while a file is loaded.</summary>
    public Action? Loading { get; set; }

    public bool Reads(ReadOnlySpan<byte> head) => head.StartsWith("FAKE"u8);

    public IReadOnlyList<string> ClassNames(string path) => ["object"];

    public IInspectionModel Load(string path, string? className = null)
    {
        var text = File.ReadAllText(path);
        Loading?.Invoke();
        var model = text == "FAKE broken" ? throw new ModelFormatException($"'{path}' is broken.") : new FakeModel(text, concurrentBatches);
        Loaded.Enqueue(model);
        return model;
    }
}

/// <summary>How long a test waits for what must come; it comes at once, or something is wrong.</summary>
internal static class Patience
{
    public static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    /// <summary>Looks again until it is so.</summary>
    public static async Task UntilAsync(Func<bool> isSo, Action? meanwhile = null)
    {
        for (var until = DateTime.UtcNow + Long; !isSo();)
        {
            (DateTime.UtcNow < until).Should().BeTrue("what is waited for must come");
            meanwhile?.Invoke();
            await Task.Delay(1);
        }
    }
}
