using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Diagnostics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Training;

/// <summary>Prompt features of class names: kept ones first, else from a text tower that is loaded when first needed.</summary>
internal sealed class PromptTexts(Func<Backbone> load, torch.Device device) : IDisposable
{
    private Backbone? backbone;

    /// <summary>The backbone, loaded now if it was not yet.</summary>
    public Backbone Backbone => backbone ??= load();

    /// <summary>F_text = [F_n, F_a]: [2, C'] on the device. The caller owns it.</summary>
    /// <exception cref="KagPromptException">The backbone has no text side.</exception>
    public torch.Tensor For(string className)
    {
        if (Backbone.Text is null || Backbone.Tokenizer is null)
        {
            throw new KagPromptException($"Backbone '{Backbone.Name}' has no text side, so no graph prompt can be trained on it. Set Epochs to 0 to score by the memory bank alone.");
        }

        using var features = TextFeatures.Encode(Backbone.Text, Backbone.Tokenizer, className, device);
        return features.clone();
    }

    public void Dispose() => backbone?.Dispose();
}
