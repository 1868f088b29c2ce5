using System.Text.Json;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Text;

namespace Microsoft.ML.KagPrompt.Backbones.Compact;

/// <summary>The backbone inside the library: small towers that need no download. How they were made: docs/compact-backbone.md.</summary>
internal static class CompactBackbone
{
    public const int ContextLength = 48;

    private const string WeightsResource = "compact.safetensors";
    private const string MergesResource = "compact.merges.txt";

    /// <summary>Both towers and the tokenizer. The caller owns them.</summary>
    public static Backbone Load()
    {
        using var merges = Resource(MergesResource);
        using var stream = Resource(WeightsResource);
        using var source = SafetensorsFile.Read(stream, WeightsResource);
        return Read(source, BytePairTokenizer.FromMerges(merges, ContextLength));
    }

    /// <summary>Both towers from tensors under "vision." and "text.", their sizes from the metadata.</summary>
    internal static Backbone Read(ITensorSource source, ITokenizer tokenizer)
    {
        var visionConfig = CompactVisionConfig.Parse(source.Metadata["vision"]);
        var textConfig = JsonSerializer.Deserialize<TextTransformerConfig>(source.Metadata["text"])!;
        var vision = new CompactVisionTower(visionConfig, WeightSet.Read(CompactVisionTower.Shapes(visionConfig), new PrefixedTensors(source, "vision.")));
        try
        {
            var text = new TextTransformer(textConfig, WeightSet.Read(TextTransformer.Shapes(textConfig), new PrefixedTensors(source, "text.")));
            return new Backbone(BackbonePresets.Compact, vision, text, tokenizer);
        }
        catch
        {
            vision.Dispose();
            throw;
        }
    }

    private static Stream Resource(string name) => typeof(CompactBackbone).Assembly.GetManifestResourceStream(name)
        ?? throw new InvalidOperationException($"The library was built without its resource '{name}'.");
}
