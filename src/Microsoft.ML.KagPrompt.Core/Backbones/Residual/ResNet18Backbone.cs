using Microsoft.ML.KagPrompt.Checkpoints;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Backbones.Residual;

/// <summary>An ImageNet ResNet18 inside the library, up to its third stage. Where it is from: docs/explanation/resnet18.md.</summary>
internal static class ResNet18Backbone
{
    private const string WeightsResource = "resnet18.safetensors";

    /// <summary>The embedded backbone.</summary>
    public static IEmbeddedBackbone Embedded { get; } = new EmbeddedSource();

    /// <summary>The vision tower, its sizes from the metadata.</summary>
    public static ResidualNetwork ReadVision(ITensorSource source, torch.ScalarType type = torch.ScalarType.Float32,
        IReadOnlyList<int>? taps = null)
    {
        var config = ResidualNetworkConfig.Parse(source.Metadata["vision"]);
        var tapped = taps is null ? config : config with { Taps = taps };
        return new ResidualNetwork(tapped, WeightSet.Read(ResidualNetwork.Shapes(tapped), source, type));
    }

    private sealed class EmbeddedSource : IEmbeddedBackbone
    {
        public string Name => BackboneSources.ResNet18;

        public string? Location => null;

        public BackboneDescription Describe()
        {
            using var source = Open();
            var config = ResidualNetworkConfig.Parse(source.Metadata["vision"]);
            return new BackboneDescription
            {
                Name = Name,
                Family = "ResNet",
                Licence = "MIT (from Microsoft.ML.DnnImageFeaturizer.ResNet18)",
                VisionParameters = VisionValues,
                TextParameters = 0,
                VisionSizes = $"residual, stages of {string.Join(", ", config.StageWidths)} channels",
                ImageSize = config.ImageSize,
                PatchSize = config.Step,
                HasText = false,
                HasVocabulary = true,
                Sha256 = null,
            };
        }

        public bool HasText => false;

        public long VisionValues
        {
            get
            {
                using var source = Open();
                return source.Entries.Values.Sum(entry => entry.ElementCount);
            }
        }

        public IVisionTower LoadVision(torch.ScalarType type, bool roundToHalf, IReadOnlyList<int>? taps = null)
        {
            using var source = Open();
            return ReadVision(source, type, taps);
        }

        public VisionReference? Reference() => null;

        public TextSide? LoadText() => null;

        private static SafetensorsFile Open() => SafetensorsFile.Read(
            typeof(ResNet18Backbone).Assembly.GetManifestResourceStream(WeightsResource)
            ?? throw new InvalidOperationException($"The library was built without its resource '{WeightsResource}'."), WeightsResource);
    }
}
