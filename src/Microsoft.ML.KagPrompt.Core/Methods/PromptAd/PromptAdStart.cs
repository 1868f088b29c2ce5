using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt.Methods.PromptAd;

/// <summary>Whether a backbone can serve PromptAD.</summary>
internal static class PromptAdStart
{
    private const string What = "a transformer with a text tower beside it";
    private const string Who = "a CLIP, OpenCLIP or ImageBind checkpoint's file";

    /// <summary>The method for a fit. The caller owns it.</summary>
    /// <exception cref="ArgumentException">The backbone is no transformer or has no text tower.</exception>
    public static IInspectionMethod Create(PromptAdOptions options, MethodStart start)
    {
        var tower = start.Require<IValuePathTower>(PromptAdOptions.MethodName, What, Who);
        return start.Initial is null && start.Texts is { IsThere: false }
            ? throw BackboneNeeds.Lacks(PromptAdOptions.MethodName, What, start.BackboneName, Who)
            : new PromptAdMethod(options, start.Sizes, tower);
    }

    /// <summary>The method of a saved model. The caller owns it.</summary>
    /// <exception cref="ModelFormatException">The model's backbone is no transformer.</exception>
    public static IInspectionMethod Read(PromptAdOptions options, MethodSizes sizes) => new PromptAdMethod(options, sizes,
        sizes.Tower as IValuePathTower
            ?? throw new ModelFormatException($"The saved model is of method '{PromptAdOptions.MethodName}', and its backbone is no "
                + "transformer. Save or fetch the model again."));

    /// <summary>A text tower that learned words can be told.</summary>
    /// <exception cref="KagPromptException">It is of another kind.</exception>
    public static IPromptableTextTower Promptable(ITextTower tower) => tower as IPromptableTextTower
        ?? throw new KagPromptException($"Method '{PromptAdOptions.MethodName}' needs a text tower that can be told embeddings "
            + $"instead of words, and this one cannot. Name {Who} as Backbone.Name.");
}
