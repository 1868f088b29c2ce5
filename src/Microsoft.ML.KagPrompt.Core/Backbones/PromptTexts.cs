using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Text;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Backbones;

/// <summary>Prompt features of class names, from a text tower that is loaded when first needed and let go with this.</summary>
/// <param name="open">Finds the backbone.</param>
/// <param name="own">Own sentences by class name.</param>
/// <param name="device">Where sentences are encoded.</param>
/// <param name="share">
/// Gives an ownership of a text side that others use, too, or of the one loaded for it; null: there are no others.
/// </param>
internal sealed class PromptTexts(Func<IBackboneSource> open, IReadOnlyDictionary<string, PromptEnsemble> own, torch.Device device,
    Func<Func<TextSide>, Shared<TextSide>>? share = null) : IDisposable
{
    private Shared<TextSide>? text;
    private IBackboneSource? source;

    /// <summary>Where encoded sentences go.</summary>
    public torch.Device Device => device;

    /// <summary>Own sentences by class name.</summary>
    public IReadOnlyDictionary<string, PromptEnsemble> Own => own;

    /// <summary>Whether the backbone has a text side; it is not read for that.</summary>
    public bool IsThere => Source.HasText;

    /// <summary>The text tower, on the device, and its tokenizer; read when first asked for, and let go with this.</summary>
    /// <exception cref="KagPromptException">The backbone has no text side, or no vocabulary.</exception>
    public TextSide Side => (text ??= share?.Invoke(Load) ?? new(Load())).Value;

    private IBackboneSource Source => source ??= open();

    /// <summary>F_text = [F_n, F_a]: [2, C'] on the device. The caller owns it.</summary>
    /// <exception cref="KagPromptException">The backbone has no text side, or no vocabulary.</exception>
    public torch.Tensor For(string className)
    {
        var prompts = own.TryGetValue(className, out var ensemble) ? ensemble.For(className) : PromptEnsemble.Paper(className);
        using var features = TextFeatures.Encode(Side.Tower, Side.Tokenizer, prompts, device);
        return features.clone();
    }

    public void Dispose() => text?.Release();

    private TextSide Load()
    {
        var loaded = Source.LoadText() ?? throw new KagPromptException($"Backbone '{Source.Name}' has no text side, "
            + "so no prompt can be held against it. Set Training.Epochs to 0 to score by the memory bank alone, "
            + $"or name it as Backbone.MemoryName beside one that has, as '{BackboneSources.Compact}' does.");
        loaded.Tower.MoveTo(device);
        return loaded;
    }
}
