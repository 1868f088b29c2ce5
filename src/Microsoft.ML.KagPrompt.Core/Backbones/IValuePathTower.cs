using TorchSharp;

namespace Microsoft.ML.KagPrompt.Backbones;

/// <summary>
/// What a transformer computes beside its taps: a second stream whose attention is of the values with themselves ("V-V"), so that each
/// patch keeps to what is like it and its final feature can be held against text.
/// </summary>
/// <remarks>Thread-safe.</remarks>
internal interface IValuePathTower
{
    /// <summary>Number of blocks.</summary>
    int Depth { get; }

    /// <summary>
    /// Encodes normalised images [B, 3, S, S] on the tower's device along both streams, without gradients. The caller owns the result.
    /// </summary>
    /// <param name="images">The images.</param>
    /// <param name="attended">Blocks, counted from 0, whose ordinary stream is kept after their attention was added and before their
    /// MLP.</param>
    ValuePathFeatures EncodeValuePath(torch.Tensor images, IReadOnlyList<int> attended);
}

/// <summary>Features of a batch of images along both streams. Owns its tensors.</summary>
internal sealed class ValuePathFeatures(torch.Tensor imageEmbedding, torch.Tensor patchEmbeddings, IReadOnlyList<torch.Tensor> attended)
    : EncodedImages
{
    /// <summary>The class token of the ordinary stream in the joint space, of any length: [B, C'].</summary>
    public torch.Tensor ImageEmbedding { get; } = imageEmbedding;

    /// <summary>The patches of the second stream in the joint space, of any length: [B, L, C'].</summary>
    public torch.Tensor PatchEmbeddings { get; } = patchEmbeddings;

    /// <summary>Patches of the ordinary stream inside the blocks that were asked for: [B, L, D] each.</summary>
    public IReadOnlyList<torch.Tensor> Attended { get; } = attended;

    public override IEnumerable<torch.Tensor> Tensors => [ImageEmbedding, PatchEmbeddings, .. Attended];

    public override EncodedImages Map(Func<torch.Tensor, torch.Tensor> change)
        => new ValuePathFeatures(change(ImageEmbedding), change(PatchEmbeddings), [.. Attended.Select(change)]);
}
