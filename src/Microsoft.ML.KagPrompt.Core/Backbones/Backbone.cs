using Microsoft.ML.KagPrompt.Text;

namespace Microsoft.ML.KagPrompt.Backbones;

/// <summary>A vision tower with, where the family has them, its text tower and tokenizer. Owns both towers.</summary>
public sealed class Backbone(string name, IVisionTower vision, ITextTower? text, ITokenizer? tokenizer) : IDisposable
{
    /// <summary>Preset or file name, for messages and manifests.</summary>
    public string Name { get; } = name;

    /// <summary>The vision tower.</summary>
    public IVisionTower Vision { get; } = vision;

    /// <summary>The text tower; null where the family has no text side.</summary>
    public ITextTower? Text { get; } = text;

    /// <summary>The text tower's tokenizer; null where the family has no text side.</summary>
    public ITokenizer? Tokenizer { get; } = tokenizer;

    /// <inheritdoc/>
    public void Dispose()
    {
        Vision.Dispose();
        Text?.Dispose();
    }
}
