using Microsoft.ML.KagPrompt.Text;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.PromptAd;

/// <summary>
/// The token ids of a class's prompts, placeholders where learned words go: right behind the start of the text first the normal words, then
/// the abnormal ones where there are any.
/// </summary>
/// <param name="Normal">[n, context]: one row a normal prompt.</param>
/// <param name="Handcrafted">[states · n, context]: state after state, each with every normal prompt.</param>
/// <param name="Learned">[n · a, context].</param>
internal sealed record PromptTokens(Tensor Normal, Tensor Handcrafted, Tensor Learned)
{
    /// <summary>States of any product.</summary>
    private static readonly string[] AnyProduct =
        ["damaged {}", "flawed {}", "abnormal {}", "imperfect {}", "blemished {}", "{} with flaw", "{} with defect", "{} with damage"];

    /// <summary>The prompts of a class. Within the caller's dispose scope.</summary>
    /// <param name="tokenizer">Of the text tower.</param>
    /// <param name="className">The product; underscores become spaces.</param>
    /// <param name="options">Numbers of words and prompts, and the class's own states.</param>
    /// <param name="normalPrompts">How many normal prompts this training has.</param>
    /// <param name="device">Where they go.</param>
    public static PromptTokens Create(BytePairTokenizer tokenizer, string className, PromptAdOptions options, int normalPrompts,
        Device device)
    {
        var name = className.Replace('_', ' ').Trim();
        // Any one-token words serve: their embeddings are replaced.
        var (normal, abnormal) = (Words("n", options.NormalWords), Words("a", options.AbnormalWords));
        var states = AnyProduct.Concat(options.ClassStates.GetValueOrDefault(className) ?? []).Select(state => state.Replace("{}", name));
        return new(Rows([$"{normal} {name}."], normalPrompts), Rows(states.Select(state => $"{normal} {state}."), normalPrompts),
            Rows([$"{normal} {abnormal} {name}."], normalPrompts * options.AbnormalPrompts));

        static string Words(string word, int count) => string.Join(' ', Enumerable.Repeat(word, count));
        Tensor Rows(IEnumerable<string> sentences, int times)
            => stack([.. sentences.SelectMany(sentence => Enumerable.Repeat(tensor(tokenizer.Encode(sentence)), times))]).to(device);
    }
}
