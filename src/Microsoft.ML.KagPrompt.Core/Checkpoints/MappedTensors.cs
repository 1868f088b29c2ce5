using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Checkpoints;

/// <summary>
/// A checkpoint under a network's names, by rules. Names and shapes are compared as they are in the file. Does not own the source.
/// </summary>
internal sealed class MappedTensors : ITensorSource
{
    private readonly ITensorSource source;
    private readonly Dictionary<string, WeightRule> rules;

    /// <param name="source">The checkpoint.</param>
    /// <param name="rules">One rule for each of the network's weights.</param>
    public MappedTensors(ITensorSource source, IEnumerable<WeightRule> rules)
    {
        this.source = source;
        this.rules = rules.ToDictionary(rule => rule.Name);
        Entries = this.rules.ToDictionary(
            entry => entry.Key,
            entry => new TensorInfo(entry.Key, source.Entries[entry.Value.Parts[0].Name].Type, entry.Value.Shape));
    }

    public string Origin => source.Origin;

    public IReadOnlyDictionary<string, TensorInfo> Entries { get; }

    public IReadOnlyDictionary<string, string> Metadata => source.Metadata;

    public bool ReadsInParallel => source.ReadsInParallel;

    /// <summary>What a weight's parts are called in the checkpoint.</summary>
    public string NamesThere(string name) => string.Join("', '", rules[name].Parts.Select(part => part.Name));

    public torch.Tensor Read(string name)
    {
        using var scope = torch.NewDisposeScope();
        var rule = rules[name];
        return rule.Build([.. rule.Parts.Select(part => source.Read(part.Name))]).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
    }
}
