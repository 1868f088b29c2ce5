using Microsoft.ML.KagPrompt.Checkpoints;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Pretraining;

/// <summary>The tensors of two sources as one; what the second has, the first is not asked for. Its texts are the second's. Owns both.</summary>
internal sealed class JoinedTensors(ITensorSource first, ITensorSource second) : ITensorSource
{
    public string Origin => second.Origin;

    public IReadOnlyDictionary<string, TensorInfo> Entries { get; } = first.Entries.Where(entry => !second.Entries.ContainsKey(entry.Key)).Concat(second.Entries).ToDictionary();

    public IReadOnlyDictionary<string, string> Metadata => second.Metadata;

    public bool ReadsInParallel => first.ReadsInParallel && second.ReadsInParallel;

    public string NameInFile(string name) => SourceOf(name).NameInFile(name);

    public torch.Tensor Read(string name) => SourceOf(name).Read(name);

    public void Dispose()
    {
        second.Dispose();
        first.Dispose();
    }

    private ITensorSource SourceOf(string name) => second.Entries.ContainsKey(name) ? second : first;
}
