using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Text;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Backbones;

/// <summary>Prompt features of class names, from a text tower that is loaded when first needed and let go with this.</summary>
internal sealed class PromptTexts(Func<IBackboneSource> open, IReadOnlyDictionary<string, PromptEnsemble> own, torch.Device device) : IDisposable
{
    private TextSide? text;

    /// <summary>F_text = [F_n, F_a]: [2, C'] on the device. The caller owns it.</summary>
    /// <exception cref="KagPromptException">The backbone has no text side, or no vocabulary.</exception>
    public torch.Tensor For(string className)
    {
        text ??= Load();
        var prompts = own.TryGetValue(className, out var ensemble) ? ensemble.For(className) : PromptEnsemble.Paper(className);
        using var features = TextFeatures.Encode(text.Tower, text.Tokenizer, prompts, device);
        return features.clone();
    }

    public void Dispose() => text?.Dispose();

    private TextSide Load()
    {
        var source = open();
        var loaded = source.LoadText() ?? throw new KagPromptException($"Backbone '{source.Name}' has no text side, so no prompt can be held against it. Set Training.Epochs to 0 to score by the memory bank alone, "
            + $"or name it as Backbone.MemoryName beside one that has, as '{BackboneSources.Compact}' does.");
        loaded.Tower.MoveTo(device);
        return loaded;
    }
}
