using TorchSharp;

namespace Microsoft.ML.KagPrompt.Backbones;

/// <summary>
/// What a vision tower can do beside encoding whole images where its blocks take any number of patches: run on a few of them alone.
/// </summary>
/// <remarks>Thread-safe.</remarks>
internal interface IWindowTower
{
    /// <summary>
    /// Encodes normalised images [B, 3, S, S] on the tower's device, whole and by windows, without gradients. A window is a sequence of its
    /// own: the class token and its patches with the positions they have in the image; the other patches are not there. The caller owns the
    /// result.
    /// </summary>
    /// <param name="images">The images.</param>
    /// <param name="windows">Of each kind, the patches of every window by number, row by row: [n, m], int64, on the tower's device.</param>
    WindowFeatures EncodeWindows(torch.Tensor images, IReadOnlyList<torch.Tensor> windows);
}

/// <summary>Features of a batch of images and of their windows. Owns its tensors.</summary>
internal sealed class WindowFeatures(torch.Tensor imageEmbedding, torch.Tensor patchTokens, IReadOnlyList<torch.Tensor> windows)
    : EncodedImages
{
    /// <summary>The whole images in the joint space, of the length the tower gives them: [B, C'].</summary>
    public torch.Tensor ImageEmbedding { get; } = imageEmbedding;

    /// <summary>The last block's patches after the final norm, not projected: [B, L, D].</summary>
    public torch.Tensor PatchTokens { get; } = patchTokens;

    /// <summary>Of each kind, the windows in the joint space, of the length the tower gives them: [B, n, C'].</summary>
    public IReadOnlyList<torch.Tensor> Windows { get; } = windows;

    public override IEnumerable<torch.Tensor> Tensors => [ImageEmbedding, PatchTokens, .. Windows];

    public override EncodedImages Map(Func<torch.Tensor, torch.Tensor> change)
        => new WindowFeatures(change(ImageEmbedding), change(PatchTokens), [.. Windows.Select(change)]);
}
