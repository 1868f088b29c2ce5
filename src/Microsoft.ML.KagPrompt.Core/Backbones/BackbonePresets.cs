using Microsoft.ML.KagPrompt.Backbones.Compact;

namespace Microsoft.ML.KagPrompt.Backbones;

/// <summary>Backbones by name.</summary>
internal static class BackbonePresets
{
    /// <summary>The backbone embedded in the library.</summary>
    public const string Compact = "compact";

    /// <exception cref="ArgumentException">There is no preset of that name.</exception>
    public static Backbone Load(string name) => name == Compact ? CompactBackbone.Load()
        : throw new ArgumentException($"Backbone: expected '{Compact}', got '{name}'.");
}
