using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.PromptAd;

/// <summary>Embeddings of prompts, or what the text tower makes of them: a row a prompt.</summary>
internal sealed record PromptRows(Tensor Normal, Tensor Handcrafted, Tensor Learned);

/// <summary>A class's prompts and the words in them that are learned. Owns the words and the embeddings of all others.</summary>
internal sealed class LearnedPrompts : IDisposable
{
    /// <summary>Deviation of the words at the start.</summary>
    private const float StartDeviation = 0.02f;

    private readonly IPromptableTextTower tower;
    private readonly PromptRows given;
    private readonly PromptTokens tokens;

    /// <param name="tower">Encodes them.</param>
    /// <param name="tokens">Their ids; taken over.</param>
    /// <param name="normalWords">[n, words, T]; taken over.</param>
    /// <param name="abnormalWords">[a, words, T]; taken over.</param>
    public LearnedPrompts(IPromptableTextTower tower, PromptTokens tokens, Tensor normalWords, Tensor abnormalWords)
    {
        (this.tower, this.tokens) = (tower, tokens);
        given = new(tower.EmbeddingsOf(tokens.Normal).DetachFromDisposeScope(), tower.EmbeddingsOf(tokens.Handcrafted)
            .DetachFromDisposeScope(),
            tower.EmbeddingsOf(tokens.Learned).DetachFromDisposeScope());
        NormalWords = normalWords.requires_grad_(true).DetachFromDisposeScope();
        AbnormalWords = abnormalWords.requires_grad_(true).DetachFromDisposeScope();
        foreach (var ids in new[] { tokens.Normal, tokens.Handcrafted, tokens.Learned })
        {
            ids.DetachFromDisposeScope();
        }
    }

    public Tensor NormalWords { get; }

    public Tensor AbnormalWords { get; }

    /// <summary>Prompts of a class with words drawn at random. The caller owns them.</summary>
    public static LearnedPrompts Draw(IPromptableTextTower tower, PromptTokens tokens, PromptAdOptions options, int seed)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(unchecked((ulong)seed));
        Tensor Words(long prompts, long words) => randn([prompts, words, tower.Width], generator: generator).Times(StartDeviation)
            .to(tokens.Normal.device);
        return new(tower, tokens, Words(tokens.Normal.shape[0], options.NormalWords),
            Words(options.AbnormalPrompts, options.AbnormalWords));
    }

    /// <summary>The prompts with the words in their places, with gradients to them. Within the caller's dispose scope.</summary>
    public PromptRows Embeddings()
    {
        var (normal, abnormal) = (NormalWords.shape[1], AbnormalWords.shape[1]);
        return new(Filled(given.Normal, Cycled(NormalWords, given.Normal), normal),
            Filled(given.Handcrafted, Cycled(NormalWords, given.Handcrafted), normal),
            // Both cycle through their own numbers: where those share a factor, some pairs repeat and others never meet. So it is in the
            // authors' code.
            Filled(given.Learned, cat([Cycled(NormalWords, given.Learned), Cycled(AbnormalWords, given.Learned)], 1), normal + abnormal));

        static Tensor Cycled(Tensor words, Tensor rows)
        {
            var numbers = Enumerable.Range(0, (int)rows.shape[0]).Select(row => row % words.shape[0]).ToArray();
            return words.index_select(0, tensor(numbers, device: words.device));
        }

        static Tensor Filled(Tensor rows, Tensor words, long count)
            => cat([rows.narrow(1, 0, 1), words, rows.narrow(1, 1 + count, rows.shape[1] - 1 - count)], 1);
    }

    /// <summary>
    /// What the text tower makes of them, of any length: [rows, C'] each, with gradients. Within the caller's dispose scope.
    /// </summary>
    public PromptRows Features()
    {
        var rows = Embeddings();
        return new(tower.EncodeEmbeddings(rows.Normal, tokens.Normal), tower.EncodeEmbeddings(rows.Handcrafted, tokens.Handcrafted),
            tower.EncodeEmbeddings(rows.Learned, tokens.Learned));
    }

    /// <summary>
    /// The directions that images are held against: unit means of the normal and of all abnormal prompts, [2, C']. Within the caller's
    /// dispose scope.
    /// </summary>
    public Tensor Gallery()
    {
        using var noGradients = no_grad();
        var features = Features();
        return cat([features.Normal.mean([0], keepdim: true), cat([features.Handcrafted, features.Learned], 0).mean([0], keepdim: true)], 0)
            .UnitLength(-1);
    }

    public void Dispose()
    {
        foreach (var tensor in new[] { tokens.Normal, tokens.Handcrafted, tokens.Learned, given.Normal, given.Handcrafted, given.Learned,
            NormalWords, AbnormalWords })
        {
            tensor.Dispose();
        }
    }
}
