using Microsoft.ML.KagPrompt.Methods.PromptAd;
using Microsoft.ML.KagPrompt.Text;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Methods.PromptAd;

public class PromptTokensTests
{
    private const int Context = 77;

    [Fact]
    public void Create_AnyProduct_LearnedWordsLieRightBehindTheStart()
    {
        using var scope = torch.NewDisposeScope();
        var tokenizer = new BytePairTokenizer([("n", "u"), ("nu", "t</w>")], Context);
        var options = new PromptAdOptions
        {
            NormalWords = 3,
            AbnormalWords = 2,
            AbnormalPrompts = 4,
            ClassStates = new Dictionary<string, IReadOnlyList<string>> { ["metal_nut"] = ["flipped {}"] },
        };
        var tokens = PromptTokens.Create(tokenizer, "metal_nut", options, normalPrompts: 2, torch.CPU);
        tokens.Normal.shape.Should().Equal(2, Context);
        tokens.Handcrafted.shape.Should().Equal(18, Context);
        tokens.Learned.shape.Should().Equal(8, Context);
        var (normal, learned) = (Masked(tokenizer.Encode("x x x metal nut."), 3), Masked(tokenizer.Encode("x x x y y metal nut."), 5));
        Rows(tokens.Normal, 3).Should().OnlyContain(row => row.SequenceEqual(normal));
        Rows(tokens.Learned, 5).Should().OnlyContain(row => row.SequenceEqual(learned));
        var states = Rows(tokens.Handcrafted, 3);
        states[0].Should().Equal(states[1], "a state's prompts lie side by side");
        states[^1].Should().Equal(Masked(tokenizer.Encode("x x x flipped metal nut."), 3), "the class's own states come last");

        static long[] Masked(long[] ids, int words) => [.. ids.Select((id, at) => at >= 1 && at <= words ? -1 : id)];
        static long[][] Rows(torch.Tensor ids, int words)
            => [.. ids.data<long>().ToArray().Chunk(Context).Select(row => Masked(row, words))];
    }
}
