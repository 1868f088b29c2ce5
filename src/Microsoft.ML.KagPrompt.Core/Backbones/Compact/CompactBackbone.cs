using System.Text.Json;
using Microsoft.ML.KagPrompt.Backbones.Vit;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Text;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Backbones.Compact;

/// <summary>
/// The backbone inside the library: small towers that need no download. How they were made: docs/explanation/compact-backbone.md.
/// </summary>
internal static class CompactBackbone
{
    public const int ContextLength = 48;

    private const string WeightsResource = "compact.safetensors";
    private const string MergesResource = "compact.merges.txt";
    private const string PromptResource = "compact.prompt.safetensors";

    /// <summary>The rounds of message passing its graph prompt was trained with.</summary>
    private const int PromptIterations = 5;

    /// <summary>The embedded backbone.</summary>
    public static IEmbeddedBackbone Embedded { get; } = new EmbeddedSource();

    /// <summary>The vision tower of tensors under "vision.", its sizes from the metadata.</summary>
    public static CompactVisionTower ReadVision(ITensorSource source, torch.ScalarType type = torch.ScalarType.Float32)
    {
        var config = CompactVisionConfig.Parse(source.Metadata["vision"]);
        return new CompactVisionTower(config,
            WeightSet.Read(CompactVisionTower.Shapes(config), new PrefixedTensors(source, "vision."), type));
    }

    /// <summary>The text tower of tensors under "text.", its sizes from the metadata.</summary>
    public static TextTransformer ReadText(ITensorSource source)
    {
        var config = JsonSerializer.Deserialize<TextTransformerConfig>(source.Metadata["text"])!;
        return new TextTransformer(config, WeightSet.Read(TextTransformer.Shapes(config), new PrefixedTensors(source, "text.")));
    }

    /// <summary>What the embedded backbone is.</summary>
    private static BackboneDescription Describe(IBackboneSource embedded)
    {
        using var stream = Resource(WeightsResource);
        using var source = SafetensorsFile.Read(stream, WeightsResource);
        var vision = CompactVisionConfig.Parse(source.Metadata["vision"]);
        return new BackboneDescription
        {
            Name = embedded.Name,
            Family = "Compact",
            Licence = "MIT (distilled from a MobileNetV2 under Apache-2.0)",
            VisionParameters = embedded.VisionValues,
            TextParameters = source.Entries.Values.Where(entry => entry.Name.StartsWith("text.", StringComparison.Ordinal))
                .Sum(entry => entry.ElementCount),
            VisionSizes = $"convolutional, stages of {string.Join(", ", vision.StageWidths)} channels",
            ImageSize = vision.ImageSize,
            PatchSize = vision.PatchSize,
            HasText = true,
            HasVocabulary = true,
            Sha256 = null,
        };
    }

    private static Stream Resource(string name) => typeof(CompactBackbone).Assembly.GetManifestResourceStream(name)
        ?? throw new InvalidOperationException($"The library was built without its resource '{name}'.");

    private sealed class EmbeddedSource : IEmbeddedBackbone
    {
        public string Name => BackboneSources.Compact;

        public string? Location => null;

        public BackboneDescription Describe() => CompactBackbone.Describe(this);

        // A library built to train a graph prompt has none yet.
        public IReadOnlyList<PretrainedHead> Heads { get; }
            = typeof(CompactBackbone).Assembly.GetManifestResourceInfo(PromptResource) is null ? []
            : [new PretrainedHead("kag.paper", PromptIterations, () => SafetensorsFile.Read(Resource(PromptResource), PromptResource))];

        public bool HasText => true;

        public long VisionValues
        {
            get
            {
                using var source = Open();
                return source.Entries.Values.Where(entry => entry.Name.StartsWith("vision.", StringComparison.Ordinal))
                    .Sum(entry => entry.ElementCount);
            }
        }

        public IVisionTower LoadVision(torch.ScalarType type, bool roundToHalf, IReadOnlyList<int>? taps = null)
        {
            if (taps is not null)
            {
                throw new ArgumentException("Taps: expected null for the compact backbone, whose taps are fixed, "
                    + $"got {string.Join(", ", taps)}.");
            }

            using var source = Open();
            return ReadVision(source, type);
        }

        public VisionReference? Reference() => null;

        public TextSide LoadText()
        {
            using var merges = Resource(MergesResource);
            var tokenizer = BytePairTokenizer.FromMerges(merges, ContextLength);
            using var source = Open();
            return new TextSide(ReadText(source), tokenizer);
        }

        private static SafetensorsFile Open() => SafetensorsFile.Read(Resource(WeightsResource), WeightsResource);
    }
}
