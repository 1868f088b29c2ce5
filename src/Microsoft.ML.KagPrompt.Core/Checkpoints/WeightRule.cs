using TorchSharp;

namespace Microsoft.ML.KagPrompt.Checkpoints;

/// <summary>
/// Where one weight of a network comes from: the tensors of a checkpoint it is made of, under the names and shapes they have there.
/// </summary>
/// <param name="Name">The network's name of the weight.</param>
/// <param name="Shape">The network's shape of it.</param>
/// <param name="Parts">Names and shapes there, in the order they are joined along the first dimension.</param>
internal sealed record WeightRule(string Name, long[] Shape, params (string Name, long[] Shape)[] Parts)
{
    /// <summary>What to do with the joined parts before they take the network's shape; null: nothing.</summary>
    public Func<torch.Tensor, torch.Tensor>? Convert { get; init; }

    /// <summary>The network's weight from the parts. Within the caller's dispose scope.</summary>
    public torch.Tensor Build(IReadOnlyList<torch.Tensor> parts)
    {
        var joined = parts.Count == 1 ? parts[0] : torch.cat([.. parts], 0);
        return (Convert?.Invoke(joined) ?? joined).reshape(Shape);
    }
}
