using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using Microsoft.ML.KagPrompt.Fitting;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Synthesis;

namespace Microsoft.ML.KagPrompt.Methods.Kag;

/// <summary>One step's normal images and their synthetic twins.</summary>
/// <param name="Normal">B normal images.</param>
/// <param name="Twins">For each, a copy with synthetic defects.</param>
/// <param name="Epoch">Epoch, from 1.</param>
internal sealed record TwinBatch(ProductImage[] Normal, SyntheticImage[] Twins, int Epoch)
{
    /// <summary>Some of the pairs.</summary>
    public TwinBatch Pairs(int first, int count) => new(Normal[first..(first + count)], Twins[first..(first + count)], Epoch);
}

/// <summary>
/// Makes the batches of a training run beside the network, a few ahead of it: one batch after the other, the twins of each on all cores.
/// </summary>
/// <remarks>What it yields depends on the seed alone, not on timing: every twin has its own random stream.</remarks>
internal sealed class TwinSource : IDisposable
{
    private const int BatchesAhead = 2;

    private readonly IReadOnlyList<ProductImage> normal;
    private readonly ILookup<string, ProductImage> byClass;
    private readonly IReadOnlyDictionary<string, NsaSynthesizer> synthesizers;
    private readonly int batchSize;
    private readonly int pairsPerEpoch;
    private readonly int epochs;
    private readonly int seed;
    private readonly int firstStep;
    private readonly CancellationTokenSource stop;
    private readonly BlockingCollection<TwinBatch> ready = new(BatchesAhead);
    private readonly Task producer;

    /// <param name="normal">Normal images of all classes.</param>
    /// <param name="own">Own ways to draw defects, by class.</param>
    /// <param name="batchSize">Pairs a batch.</param>
    /// <param name="pairsPerEpoch">Pairs an epoch.</param>
    /// <param name="epochs">Number of epochs.</param>
    /// <param name="seed">Of everything random.</param>
    /// <param name="cancellation">Stops the making.</param>
    /// <param name="firstStep">Where to begin: the batches of the steps before are not made.</param>
    public TwinSource(IReadOnlyList<ProductImage> normal, IReadOnlyDictionary<string, SynthesisOptions> own, int batchSize,
        int pairsPerEpoch, int epochs, int seed, CancellationToken cancellation, int firstStep = 0)
    {
        (this.normal, this.batchSize, this.pairsPerEpoch, this.epochs, this.seed) = (normal, batchSize, pairsPerEpoch, epochs, seed);
        this.firstStep = firstStep;
        byClass = normal.ToLookup(image => image.ClassName);
        synthesizers = byClass.ToDictionary(group => group.Key, group => new NsaSynthesizer(
            SynthesisOptions.For(group.Key, own, [.. group.Select(image => image.Square)], group.First().Region)));
        stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        producer = Task.Factory.StartNew(Produce, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    public int StepsPerEpoch => (pairsPerEpoch + batchSize - 1) / batchSize;

    /// <summary>The batches in order. What the producer threw is thrown here.</summary>
    public IEnumerable<TwinBatch> Batches()
    {
        foreach (var batch in ready.GetConsumingEnumerable(stop.Token))
        {
            yield return batch;
        }

        producer.GetAwaiter().GetResult();
    }

    public void Dispose()
    {
        stop.Cancel();
        Task.WaitAny(producer);
        ready.Dispose();
        stop.Dispose();
    }

    private void Produce()
    {
        try
        {
            for (var epoch = 1; epoch <= epochs; epoch++)
            {
                var order = Order(epoch);
                var skipped = Math.Max(0, firstStep - ((epoch - 1) * StepsPerEpoch));
                for (var first = skipped * batchSize; first < order.Length; first += batchSize)
                {
                    ready.Add(Batch(order[first..Math.Min(first + batchSize, order.Length)], epoch, first), stop.Token);
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The consumer is gone, or is being told by its own token.
        }
        finally
        {
            ready.CompleteAdding();
        }
    }

    /// <summary>Every image as often as every other, give or take one, in random order.</summary>
    private ProductImage[] Order(int epoch)
    {
        var random = new Random(Mix(epoch, -1));
        var order = new List<ProductImage>(pairsPerEpoch);
        while (order.Count < pairsPerEpoch)
        {
            var round = normal.ToArray();
            random.Shuffle(round);
            order.AddRange(round.Take(pairsPerEpoch - order.Count));
        }

        return [.. order];
    }

    private TwinBatch Batch(ProductImage[] images, int epoch, int first)
    {
        var twins = new SyntheticImage[images.Length];
        var faults = new ExceptionDispatchInfo?[images.Length];
        // A short burst a batch: between them the network has the cores for itself.
        var options = new ParallelOptions { CancellationToken = stop.Token, MaxDegreeOfParallelism = Environment.ProcessorCount };
        Parallel.For(0, images.Length, options, (i, loop) =>
        {
            try
            {
                twins[i] = Twin(images[i], new Random(Mix(epoch, first + i)));
            }
            catch (Exception fault)
            {
                faults[i] = ExceptionDispatchInfo.Capture(fault);
                // Those before it are still made, so that which fault is told does not depend on timing.
                loop.Break();
            }
        });
        faults.FirstOrDefault(fault => fault is not null)?.Throw();
        return new TwinBatch(images, twins, epoch);
    }

    private SyntheticImage Twin(ProductImage image, Random random)
        => synthesizers[image.ClassName].Synthesize(image.Square, PatchSource(image, random), random, image.Region);

    /// <summary>The image that patches are cut from: another normal image of the class, else of any class, else the image itself.</summary>
    private PixelBuffer PatchSource(ProductImage image, Random random)
    {
        var same = byClass[image.ClassName].ToArray();
        var pool = same.Length > 1 ? same : normal.Count > 1 ? normal : same;
        ProductImage source;
        do
        {
            source = pool[random.Next(pool.Count)];
        }
        while (ReferenceEquals(source, image) && pool.Count > 1);
        return source.Square;
    }

    /// <summary>A seed of its own for every draw: SplitMix64's finaliser over the three numbers.</summary>
    private int Mix(int epoch, int position)
    {
        var x = unchecked(((ulong)(uint)seed << 32) + ((ulong)(uint)epoch * 0x9E3779B97F4A7C15)
            + ((ulong)(uint)position * 0xD1B54A32D192ED03));
        x = unchecked((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9);
        x = unchecked((x ^ (x >> 27)) * 0x94D049BB133111EB);
        return (int)(x >> 33);
    }
}
