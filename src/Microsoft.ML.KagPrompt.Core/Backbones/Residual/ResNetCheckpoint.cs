using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Diagnostics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Backbones.Residual;

/// <summary>A ResNet's state dict under torchvision's names, read in place: the whole network but its classifier.</summary>
internal sealed class ResNetCheckpoint : IBackboneSource
{
    private readonly string path;
    private readonly Lazy<VisionReference> reference;

    private ResNetCheckpoint(string path, ResidualNetworkConfig config)
    {
        (this.path, Config) = (path, config);
        reference = new(() => new VisionReference(Path.GetFileName(path), SmallFile.LengthOf(path), FileHash.Compute(path)));
    }

    public ResidualNetworkConfig Config { get; }

    public string Name => ResNetLayout.NameOf(Config);

    public string? Location => path;

    public bool HasText => false;

    public long VisionValues => ResidualNetwork.Shapes(Config).Values.Sum(shape => shape.Aggregate(1L, (product, size) => product * size));

    /// <summary>The checkpoint; null: the file is of another family, or an index of several.</summary>
    /// <exception cref="CheckpointMismatchException">It is a ResNet, but not whole.</exception>
    public static ResNetCheckpoint? Find(string path)
    {
        // Devices and pipes tell a length of 0; a pipe would not return from being opened.
        if (SmallFile.LengthOf(path) == 0 || path.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        using var source = CheckpointFile.Open(path);
        return ResNetLayout.Matches(source) ? new ResNetCheckpoint(path, ResNetLayout.Read(source)) : null;
    }

    /// <summary>The tower of a checkpoint's tensors. The caller owns it.</summary>
    public static ResidualNetwork ReadVision(
        ITensorSource source, ResidualNetworkConfig config, torch.ScalarType type, bool roundToHalf = false)
        => new(config, WeightSet.Read(ResidualNetwork.Shapes(config), new FoldedTensors(source, config), type, roundToHalf));

    public IVisionTower LoadVision(torch.ScalarType type, bool roundToHalf, IReadOnlyList<int>? taps = null)
    {
        using var source = CheckpointFile.Open(path);
        return ReadVision(source, taps is null ? Config : Config with { Taps = taps }, type, roundToHalf);
    }

    public VisionReference? Reference() => reference.Value;

    public TextSide? LoadText() => null;

    /// <summary>What it is.</summary>
    public BackboneDescription Describe() => new()
    {
        Name = Name,
        Family = "ResNet",
        Licence = "BSD-3-Clause (torchvision; ImageNet's own terms for its pictures)",
        VisionParameters = VisionValues,
        TextParameters = 0,
        VisionSizes = $"residual, stages of {string.Join(", ", Config.StageWidths)} channels",
        ImageSize = Config.ImageSize,
        PatchSize = Config.Step,
        HasText = false,
        HasVocabulary = true,
        Sha256 = reference.Value.Sha256,
    };
}
