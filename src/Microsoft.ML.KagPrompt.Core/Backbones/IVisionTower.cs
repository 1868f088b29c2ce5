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

    /// <summary>Pixels by which what the cells of each tap see lies below and right of the middle of their tiles; empty: it lies in the middle.</summary>
    public IReadOnlyList<(double Down, double Right)> TapShifts { get; init; } = [];

    /// <summary>What training on it was measured to need; empty: what the methods' papers say.</summary>
    public IReadOnlyList<TrainingPreset> Presets { get; init; } = [];

    /// <summary>Where each tap's cells lie in an image of S × S.</summary>
    public IReadOnlyList<PatchGrid> TapGrids(int imageSize) => [.. TapWidths.Select((_, tap)
        => GridAt(imageSize, tap < TapSteps.Count ? TapSteps[tap] : PatchSize, tap < TapShifts.Count ? TapShifts[tap] : (0, 0)))];

    /// <summary>Where the cells of what is made of all taps together lie.</summary>
    public PatchGrid PromptGrid(int imageSize) => GridAt(imageSize, PatchSize, TapShifts.Count > 0 ? (TapShifts.Average(shift => shift.Down), TapShifts.Average(shift => shift.Right)) : (0, 0));

    private static PatchGrid GridAt(int imageSize, int step, (double Down, double Right) shift)
    {
        var middle = (step - 1) / 2.0;
        return new PatchGrid(imageSize / step, imageSize / step, middle + shift.Down, step, middle + shift.Right, step);
    }
}

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
    VisionFeatures Encode(torch.Tensor images);

    /// <summary>The weights by name, for the model archive. The tower keeps ownership.</summary>
    IReadOnlyDictionary<string, torch.Tensor> Weights { get; }

    /// <summary>Moves the weights.</summary>
    void MoveTo(torch.Device device);
}

/// <summary>Features of a batch of images. Owns its tensors.</summary>
internal sealed class VisionFeatures(IReadOnlyList<torch.Tensor> patchTokens, torch.Tensor imageEmbedding) : IDisposable
{
    /// <summary>P_i, shallow to deep: [B, L, D_i], class token dropped, no final norm. L = (S / cell)².</summary>
    public IReadOnlyList<torch.Tensor> PatchTokens { get; } = patchTokens;

    /// <summary>F_cls: [B, C'], L2-normalised.</summary>
    public torch.Tensor ImageEmbedding { get; } = imageEmbedding;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tokens in PatchTokens)
        {
            tokens.Dispose();
        }

        ImageEmbedding.Dispose();
    }
}
