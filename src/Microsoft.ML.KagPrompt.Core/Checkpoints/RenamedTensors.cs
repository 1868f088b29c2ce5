using TorchSharp;

namespace Microsoft.ML.KagPrompt.Checkpoints;

/// <summary>
/// Some tensors of another source under a network's names. Whatever has the expected number of values takes the expected shape, and a kernel
/// over two frames of a still image is summed over them. Does not own the source.
/// </summary>
internal sealed class RenamedTensors(ITensorSource source, Func<string, string> nameThere, IReadOnlyDictionary<string, long[]> expected) : ITensorSource
{
    public string Origin => source.Origin;

    public IReadOnlyDictionary<string, TensorInfo> Entries { get; } = expected
        .Where(entry => source.Entries.ContainsKey(nameThere(entry.Key)))
        .ToDictionary(entry => entry.Key, entry => Describe(entry.Key, entry.Value, source.Entries[nameThere(entry.Key)]));

    public IReadOnlyDictionary<string, string> Metadata => source.Metadata;

    public torch.Tensor Read(string name)
    {
        using var scope = torch.NewDisposeScope();
        var stored = source.Read(nameThere(name));
        var shaped = stored.dim() == 5 && expected[name].Length == 4 ? stored.sum(2) : stored.reshape(expected[name]);
        return shaped.MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
    }

    private static TensorInfo Describe(string name, long[] wanted, TensorInfo stored)
    {
        var folded = stored.Shape.Count == 5 && wanted.Length == 4 ? [stored.Shape[0], stored.Shape[1], stored.Shape[3], stored.Shape[4]] : stored.Shape;
        var same = folded.Aggregate(1L, (product, size) => product * size) == wanted.Aggregate(1L, (product, size) => product * size)
            && folded.Where(size => size != 1).SequenceEqual(wanted.Where(size => size != 1));
        return stored with { Name = name, Shape = same ? wanted : stored.Shape };
    }
}
