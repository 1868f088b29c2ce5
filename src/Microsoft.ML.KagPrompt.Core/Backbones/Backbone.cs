using Microsoft.ML.KagPrompt.Text;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Backbones;

/// <summary>A vision tower with, where the family has them, its text tower and tokenizer. Owns both towers. Not thread-safe.</summary>
public sealed class Backbone(string name, IVisionTower vision, ITextTower? text, ITokenizer? tokenizer) : IDisposable
{
    private IVisionTower? vision = vision;

    /// <summary>Preset or file name, for messages and manifests.</summary>
    public string Name { get; } = name;

    /// <summary>The vision tower.</summary>
    /// <exception cref="ObjectDisposedException">It was taken.</exception>
    public IVisionTower Vision => vision ?? throw new ObjectDisposedException(nameof(Vision), "The vision tower was taken from this backbone.");

    /// <summary>The text tower; null where the family has no text side.</summary>
    public ITextTower? Text { get; } = text;

    /// <summary>The text tower's tokenizer; null where the family has no text side.</summary>
    public ITokenizer? Tokenizer { get; } = tokenizer;

    /// <summary>Hands the vision tower over: the caller owns it, and the text side can be disposed while it lives on.</summary>
    public IVisionTower TakeVision()
    {
        var taken = Vision;
        vision = null;
        return taken;
    }

    /// <summary>Moves both towers.</summary>
    public void MoveTo(torch.Device device)
    {
        vision?.MoveTo(device);
        Text?.MoveTo(device);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        vision?.Dispose();
        Text?.Dispose();
    }
}
