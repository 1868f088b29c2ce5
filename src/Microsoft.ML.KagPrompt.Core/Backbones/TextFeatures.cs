using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Text;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Backbones;

/// <summary>F_text = [F_n, F_a] of a class: each group's sentences encoded, averaged, brought to unit length.</summary>
internal static class TextFeatures
{
    /// <summary>[2, C'], normal first. The caller owns it.</summary>
    public static Tensor Encode(ITextTower tower, BytePairTokenizer tokenizer, PromptEnsemble prompts, Device device)
        => Pair(prompts, sentences => UnitMean(tower.Encode(Tokens(tokenizer, sentences, device))));

    /// <summary>
    /// The plain means of the sentences as the tower gives them, of any length: [2, C'], normal first. The caller owns it.
    /// </summary>
    public static Tensor RawMeans(ITextTower tower, BytePairTokenizer tokenizer, PromptEnsemble prompts, Device device)
        => Pair(prompts, sentences => RawMean(tower.Embed(Tokens(tokenizer, sentences, device))));

    /// <summary>Sentences of any length [n, C'], averaged as they are: [C'].</summary>
    public static Tensor RawMean(Tensor sentences) => sentences.mean([0]);

    /// <summary>Sentences of any length [n, C'], each brought to unit length, averaged, brought to unit length: [C'].</summary>
    public static Tensor UnitMean(Tensor sentences) => sentences.UnitLength(-1).mean([0]).UnitLength(-1);

    private static Tensor Pair(PromptEnsemble prompts, Func<IReadOnlyList<string>, Tensor> average)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        return stack([average(prompts.Normal), average(prompts.Abnormal)]).MoveToOuterDisposeScope();
    }

    private static Tensor Tokens(BytePairTokenizer tokenizer, IReadOnlyList<string> sentences, Device device)
        => stack([.. sentences.Select(sentence => tensor(tokenizer.Encode(sentence)))]).to(device);
}
