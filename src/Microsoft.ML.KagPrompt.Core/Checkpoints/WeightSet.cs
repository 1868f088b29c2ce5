using TorchSharp;

namespace Microsoft.ML.KagPrompt.Checkpoints;

/// <summary>A frozen network's float32 tensors by name. Owns them. Reading is thread-safe.</summary>
internal sealed class WeightSet(Dictionary<string, torch.Tensor> tensors) : IDisposable
{
    public torch.Tensor this[string name] => tensors[name];

    /// <summary>The tensor, or null where the network has none of that name.</summary>
    public torch.Tensor? Find(string name) => tensors.GetValueOrDefault(name);

    public IReadOnlyDictionary<string, torch.Tensor> ByName => tensors;

    /// <summary>Reads exactly the expected tensors. Shapes are checked before anything is allocated, so a false configuration costs nothing.</summary>
    public static WeightSet Read(IReadOnlyDictionary<string, long[]> expected, ITensorSource source)
    {
        StrictLoad.Check(expected, source);
        var tensors = new Dictionary<string, torch.Tensor>();
        try
        {
            foreach (var name in expected.Keys)
            {
                using var stored = source.Read(name);
                tensors.Add(name, stored.to(torch.ScalarType.Float32, copy: true).DetachFromDisposeScope());
            }

            return new WeightSet(tensors);
        }
        catch
        {
            new WeightSet(tensors).Dispose();
            throw;
        }
    }

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
