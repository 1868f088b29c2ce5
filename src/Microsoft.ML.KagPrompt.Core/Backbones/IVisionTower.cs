using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Backbones;

/// <summary>What the rest of the library must know of a vision tower.</summary>
internal sealed record VisionTowerInfo
{
    /// <summary>Side of a patch in pixels, or of the coarsest map's cells; an image's side must be a multiple of it.</summary>
    public required int PatchSize { get; init; }

    /// <summary>Width D of each tapped layer's patch tokens, shallow to deep.</summary>
    public required IReadOnlyList<int> TapWidths { get; init; }

    /// <summary>Width C' of the image embedding, shared with the text tower.</summary>
    public required int JointWidth { get; init; }

    /// <summary>Image side S in pixels the tower was trained at.</summary>
    public required int ImageSize { get; init; }

    /// <summary>Per-channel mean (R, G, B) subtracted from pixels in 0..1.</summary>
    public required IReadOnlyList<float> Mean { get; init; }

    /// <summary>Per-channel deviation (R, G, B) the difference is divided by.</summary>
    public required IReadOnlyList<float> Std { get; init; }

    /// <summary>Pixels a cell of each tap; empty: all taps have cells of <see cref="PatchSize"/>.</summary>
    public IReadOnlyList<int> TapSteps { get; init; } = [];

    /// <summary>
    /// Pixels by which what the cells of each tap see lies below and right of the middle of their tiles; empty: it lies in the middle.
    /// </summary>
    public IReadOnlyList<(double Down, double Right)> TapShifts { get; init; } = [];

    /// <summary>The layers that a graph prompt sees; null: those of the memory bank, on cells of <see cref="PatchSize"/>.</summary>
    public PromptTaps? OwnPromptTaps { get; init; }

    /// <summary>The layers that a graph prompt sees.</summary>
    public PromptTaps PromptTaps => OwnPromptTaps
        ?? new(TapWidths, PatchSize,
            TapShifts.Count > 0 ? (TapShifts.Average(shift => shift.Down), TapShifts.Average(shift => shift.Right)) : (0, 0));

    /// <summary>What training on it was measured to need; empty: what the methods' papers say.</summary>
    public IReadOnlyList<TrainingPreset> Presets { get; init; } = [];

    /// <summary>Where each tap's cells lie in an image of S × S.</summary>
    public IReadOnlyList<PatchGrid> TapGrids(int imageSize) => [.. TapWidths.Select((_, tap)
        => GridAt(imageSize, tap < TapSteps.Count ? TapSteps[tap] : PatchSize, tap < TapShifts.Count ? TapShifts[tap] : (0, 0)))];

    /// <summary>Where the cells of a graph prompt's map lie.</summary>
    public PatchGrid PromptGrid(int imageSize) => GridAt(imageSize, PromptTaps.Step, PromptTaps.Shift);

    private static PatchGrid GridAt(int imageSize, int step, (double Down, double Right) shift)
    {
        // An image may end within its last cells.
        var (middle, cells) = ((step - 1) / 2.0, (imageSize + step - 1) / step);
        return new PatchGrid(cells, cells, middle + shift.Down, step, middle + shift.Right, step);
    }
}

/// <summary>Layers that a graph prompt sees, all on one grid.</summary>
/// <param name="Widths">Width of each, shallow to deep.</param>
/// <param name="Step">Pixels a cell.</param>
/// <param name="Shift">Pixels by which what a cell sees lies below and right of the middle of its tile.</param>
internal sealed record PromptTaps(IReadOnlyList<int> Widths, int Step, (double Down, double Right) Shift);

/// <summary>A frozen network that turns images into patch tokens at several depths and one embedding.</summary>
/// <remarks>Encoding is thread-safe; moving and disposing are not.</remarks>
internal interface IVisionTower : IDisposable
{
    /// <summary>Sizes and normalisation.</summary>
    VisionTowerInfo Info { get; }

    /// <summary>Which family of towers this is, for the model archive ("vit", "compact", "resnet").</summary>
    string Family { get; }

    /// <summary>JSON object with all sizes needed to build an empty tower of this family again.</summary>
    string ConfigurationJson { get; }

    /// <summary>Encodes normalised images [B, 3, S, S] on the tower's device, without gradients. The caller owns the result.</summary>
    /// <param name="images">The images.</param>
    /// <param name="forPrompt">Whether a graph prompt will see the features; false may leave out what it alone needs.</param>
    VisionFeatures Encode(torch.Tensor images, bool forPrompt = true);

    /// <summary>The weights by name, for the model archive. The tower keeps ownership.</summary>
    IReadOnlyDictionary<string, torch.Tensor> Weights { get; }

    /// <summary>Moves the weights.</summary>
    void MoveTo(torch.Device device);
}

/// <summary>Features of a batch of images. Owns its tensors.</summary>
/// <param name="patchTokens">P_i.</param>
/// <param name="imageEmbedding">F_cls.</param>
/// <param name="promptTokens">What a graph prompt sees; null: P_i.</param>
internal sealed class VisionFeatures(IReadOnlyList<torch.Tensor> patchTokens, torch.Tensor imageEmbedding,
    IReadOnlyList<torch.Tensor>? promptTokens = null) : EncodedImages
{
    /// <summary>P_i, shallow to deep: [B, L, D_i], class token dropped, no final norm. L = (S / cell)².</summary>
    public IReadOnlyList<torch.Tensor> PatchTokens { get; } = patchTokens;

    /// <summary>The layers that a graph prompt sees: [B, L, D_i] of <see cref="VisionTowerInfo.PromptTaps"/>.</summary>
    public IReadOnlyList<torch.Tensor> PromptTokens { get; } = promptTokens ?? patchTokens;

    /// <summary>F_cls: [B, C'], L2-normalised.</summary>
    public torch.Tensor ImageEmbedding { get; } = imageEmbedding;

    public override IEnumerable<torch.Tensor> Tensors
        => [.. PatchTokens, .. ReferenceEquals(PromptTokens, PatchTokens) ? [] : PromptTokens, ImageEmbedding];

    /// <summary>Several batches as one. The caller owns it, and the parts still.</summary>
    public static VisionFeatures Join(IReadOnlyList<VisionFeatures> parts)
    {
        var patches = Join(parts, part => part.PatchTokens);
        var prompt = parts.All(part => ReferenceEquals(part.PromptTokens, part.PatchTokens))
            ? null : Join(parts, part => part.PromptTokens);
        return new(patches, torch.cat([.. parts.Select(part => part.ImageEmbedding)], 0), prompt);
    }

    public override EncodedImages Map(Func<torch.Tensor, torch.Tensor> change)
    {
        IReadOnlyList<torch.Tensor> patches = [.. PatchTokens.Select(change)];
        return new VisionFeatures(patches, change(ImageEmbedding),
            ReferenceEquals(PromptTokens, PatchTokens) ? null : [.. PromptTokens.Select(change)]);
    }

    private static torch.Tensor[] Join(IReadOnlyList<VisionFeatures> parts, Func<VisionFeatures, IReadOnlyList<torch.Tensor>> layers)
        => [.. layers(parts[0]).Select((_, i) => torch.cat([.. parts.Select(part => layers(part)[i])], 0))];
}
