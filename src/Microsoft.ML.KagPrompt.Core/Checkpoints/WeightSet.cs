using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Checkpoints;

/// <summary>A frozen network's tensors by name, all of one type. Owns them. Reading is thread-safe.</summary>
internal sealed class WeightSet(Dictionary<string, torch.Tensor> tensors) : IDisposable
{
    private const int MostThreads = 4;

    public torch.Tensor this[string name] => tensors[name];

    /// <summary>The tensor, or null where the network has none of that name.</summary>
    public torch.Tensor? Find(string name) => tensors.GetValueOrDefault(name);

    public IReadOnlyDictionary<string, torch.Tensor> ByName => tensors;

    /// <summary>The type they have, and the network computes in.</summary>
    public torch.ScalarType Type => tensors.Values.First().dtype;

    /// <summary>
    /// Reads exactly the expected tensors. Shapes are checked before anything is allocated, so a false configuration costs nothing.
    /// </summary>
    /// <param name="expected">Every name and shape.</param>
    /// <param name="source">Where they are.</param>
    /// <param name="type">The type they are brought to.</param>
    /// <param name="roundToHalf">Whether 32-bit values are rounded to what 16-bit floats hold on the way there.</param>
    public static WeightSet Read(
        IReadOnlyDictionary<string, long[]> expected, ITensorSource source,
        torch.ScalarType type = torch.ScalarType.Float32, bool roundToHalf = false)
    {
        StrictLoad.Check(expected, source);
        var tensors = new ConcurrentDictionary<string, torch.Tensor>();
        try
        {
            // In the source's order, which is the file's. Fresh memory costs more than the copy into it, and its cost is shared by threads.
            if (source.ReadsInParallel)
            {
                var threads = new ParallelOptions { MaxDegreeOfParallelism = Math.Min(MostThreads, Environment.ProcessorCount) };
                Parallel.ForEach(source.Entries.Keys, threads, Add);
            }
            else
            {
                foreach (var name in source.Entries.Keys)
                {
                    Add(name);
                }
            }

            void Add(string name) => tensors[name] = Read(name, source, type, roundToHalf);
            return new WeightSet(tensors.ToDictionary());
        }
        catch (Exception fault)
        {
            new WeightSet(tensors.ToDictionary()).Dispose();
            ExceptionDispatchInfo.Throw((fault as AggregateException)?.InnerExceptions[0] ?? fault);
            throw;
        }
    }

    private static torch.Tensor Read(string name, ITensorSource source, torch.ScalarType type, bool roundToHalf)
    {
        using var scope = torch.NewDisposeScope();
        var stored = source.Read(name);
        if (roundToHalf && type == torch.ScalarType.Float32 && stored.dtype != torch.ScalarType.Float16)
        {
            var half = stored.to(torch.ScalarType.Float16);
            Check(half, stored, name, source);
            stored = half;
        }

        // Some families store a matrix transposed: laid out as a saved model gives it back, so that products have the same bits there.
        var weight = stored.to(type).contiguous();
        Check(weight, stored, name, source);
        return weight.DetachFromDisposeScope();
    }

    private static void Check(torch.Tensor weight, torch.Tensor stored, string name, ITensorSource source)
        => FiniteValues.Check(weight, stored, (source as MappedTensors)?.NamesThere(name) ?? name, source.Origin);

    public void MoveTo(torch.Device device)
    {
        foreach (var (name, old) in tensors.ToArray())
        {
            var moved = old.to(device);
            if (!ReferenceEquals(moved, old))
            {
                tensors[name] = moved.DetachFromDisposeScope();
                old.Dispose();
            }
        }
    }

    public void Dispose()
    {
        foreach (var tensor in tensors.Values)
        {
            tensor.Dispose();
        }
    }
}
