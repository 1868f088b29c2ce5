using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Checkpoints;

namespace Microsoft.ML.KagPrompt.Methods.Kag;

/// <summary>The graph prompt that comes with the compact backbone, trained across rendered products. How it was made: docs/compact-backbone.md.</summary>
internal static class PretrainedPrompt
{
    /// <summary>The rounds of message passing it was trained with.</summary>
    public const int Iterations = 5;

    private const string Resource = "compact.prompt.safetensors";

    /// <summary>The prompt for these options, which the caller owns; null where they ask for another backbone, variant or number of rounds, or to start from scratch.</summary>
    public static GraphPrompt? For(InspectionOptions options, VisionTowerInfo info)
    {
        if (options.FromScratch || options.Backbone != BackboneSources.Compact || options.Variant != GraphVariant.Paper || options.Iterations != Iterations)
        {
            return null;
        }

        // A library built to train one has none yet.
        var stream = typeof(PretrainedPrompt).Assembly.GetManifestResourceStream(Resource);
        if (stream is null)
        {
            return null;
        }

        using var source = SafetensorsFile.Read(stream, Resource);
        return GraphPrompt.Read(GraphPromptConfig.For(info, options.Variant, options.Iterations), source);
    }
}
