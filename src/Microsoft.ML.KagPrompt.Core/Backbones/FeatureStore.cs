using System.Diagnostics;
using System.Security.Cryptography;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Backbones;

/// <summary>
/// What towers made of batches of images, for whoever asks for the same batch again: another draw, another method. A batch is known as a
/// whole, by its pixels: what is found is bit for bit what would be computed. What has no more room is computed each time.
/// </summary>
/// <remarks>Thread-safe.</remarks>
/// <param name="mostBytes">Room for features, in memory.</param>
internal sealed class FeatureStore(long mostBytes) : IDisposable
{
    private readonly Lock gate = new();
    private readonly Dictionary<Key, (EncodedImages Features, TimeSpan Time)> kept = [];
    private long bytes;

    /// <summary>Batches that were computed, and batches that were found.</summary>
    public (int Computed, int Found) Batches { get; private set; }

    /// <summary>How long what was found took to compute.</summary>
    public TimeSpan TimeSaved { get; private set; }

    /// <summary>Room for what one product's pictures give, of the memory that the machine has.</summary>
    public static long UsualBytes => Math.Min(4L << 30, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4);

    /// <summary>A batch's features, kept or computed. The caller owns them.</summary>
    /// <param name="tower">The tower that sees them.</param>
    /// <param name="kind">What it makes of them; another word for anything that changes the result.</param>
    /// <param name="squares">The batch.</param>
    /// <param name="device">Where the features are to be.</param>
    /// <param name="encode">Computes them.</param>
    public T Get<T>(NetworkTower tower, string kind, IReadOnlyList<PixelBuffer> squares, torch.Device device, Func<T> encode)
        where T : EncodedImages
    {
        var key = new Key(tower, kind, Digest(squares));
        lock (gate)
        {
            if (kept.TryGetValue(key, out var known))
            {
                Batches = Batches with { Found = Batches.Found + 1 };
                TimeSaved += known.Time;
                return (T)known.Features.Map(tensor => device.type == DeviceType.CPU ? tensor.alias() : tensor.to(device));
            }
        }

        var watch = Stopwatch.StartNew();
        var made = encode();
        var time = watch.Elapsed;
        lock (gate)
        {
            Batches = Batches with { Computed = Batches.Computed + 1 };
            var size = made.Tensors.Sum(tensor => tensor.numel() * tensor.element_size());
            if (bytes + size <= mostBytes && !kept.ContainsKey(key))
            {
                // In the processor's memory: a graphics card's is for the networks.
                var copy = made.Map(tensor
                    => (tensor.device_type == DeviceType.CPU ? tensor.alias() : tensor.cpu()).DetachFromDisposeScope());
                kept.Add(key, (copy, time));
                bytes += size;
            }
        }

        return made;
    }

    /// <summary>Lets go of all features: other images come.</summary>
    public void Clear()
    {
        lock (gate)
        {
            foreach (var (features, _) in kept.Values)
            {
                features.Dispose();
            }

            kept.Clear();
            bytes = 0;
        }
    }

    public void Dispose() => Clear();

    private static string Digest(IReadOnlyList<PixelBuffer> squares)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var square in squares)
        {
            hash.AppendData(BitConverter.GetBytes(square.Width));
            hash.AppendData(square.Rgb);
        }

        return Convert.ToHexString(hash.GetHashAndReset());
    }

    private sealed record Key(NetworkTower Tower, string Kind, string Digest);
}
