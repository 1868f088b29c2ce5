using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Checkpoints;

/// <summary>
/// The tensors of another source whose names begin with a prefix, under the rest of their names. Owns the source only where told so.
/// </summary>
internal sealed class PrefixedTensors(ITensorSource source, string prefix, bool ownsSource = false) : ITensorSource
{
    public string Origin => source.Origin;

    public IReadOnlyDictionary<string, TensorInfo> Entries { get; } = source.Entries
        .Where(entry => entry.Key.StartsWith(prefix, StringComparison.Ordinal))
        .ToDictionary(entry => entry.Key[prefix.Length..], entry => entry.Value with { Name = entry.Key[prefix.Length..] });

    public IReadOnlyDictionary<string, string> Metadata => source.Metadata;

    public bool ReadsInParallel => source.ReadsInParallel;

    public string NameInFile(string name) => source.NameInFile(prefix + name);

    public torch.Tensor Read(string name) => source.Read(prefix + name);

    public void Dispose()
    {
        if (ownsSource)
        {
            source.Dispose();
        }
    }
}
