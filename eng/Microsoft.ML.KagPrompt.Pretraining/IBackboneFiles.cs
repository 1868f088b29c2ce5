using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Text;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Pretraining;

/// <summary>A backbone in a folder, as those steps need it that any tower can take: alignment's result, which prompts are trained and measured on.</summary>
internal interface IBackboneFiles
{
    /// <summary>What the library calls it.</summary>
    string Name { get; }

    /// <summary>The caller owns it.</summary>
    IVisionTower Vision();

    /// <summary>The text side that its image embedding was aligned with. The caller owns it.</summary>
    TextSide Text();
}

/// <summary>What a folder of any backbone gives.</summary>
internal static class BackboneFiles
{
    /// <summary>The backbone whose file is there.</summary>
    public static IBackboneFiles Open(string folder) => File.Exists(Path.Combine(folder, ResNet18Files.Backbone)) ? new ResNet18Files(folder) : new ShippedFiles(folder);

    /// <summary>F_text of each name, on the device; the caller owns them.</summary>
    public static IReadOnlyDictionary<string, Tensor> TextFeatures(this IBackboneFiles files, IEnumerable<string> names, Device device)
    {
        using var noGradients = no_grad();
        using var text = files.Text();
        text.Tower.MoveTo(device);
        return names.ToDictionary(name => name, name =>
        {
            using var scope = NewDisposeScope();
            return Backbones.TextFeatures.Encode(text.Tower, text.Tokenizer, PromptEnsemble.Paper(name), device).DetachFromDisposeScope();
        });
    }
}
