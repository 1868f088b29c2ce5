using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Numerics;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Backbones.Vit;

/// <summary>Sizes of a text transformer.</summary>
internal sealed record TextTransformerConfig
{
    public required int Width { get; init; }

    public required int Depth { get; init; }

    public required int Heads { get; init; }

    public required int MlpWidth { get; init; }

    public required int ContextLength { get; init; }

    public required int VocabularySize { get; init; }

    public required int JointWidth { get; init; }

    public Activation Activation { get; init; } = Activation.Gelu;

    public double Epsilon { get; init; } = 1e-6;

    /// <exception cref="ArgumentException">Names every invalid value.</exception>
    public void Validate() => new OptionFaults()
        .Require(Width is >= 1 and <= 1 << 14, nameof(Width), "1 to 16384", Width)
        .Require(Depth is >= 1 and <= 512, nameof(Depth), "1 to 512", Depth)
        .Require(Heads >= 1 && Width % Heads == 0, nameof(Heads), $"a divisor of the width {Width}", Heads)
        .Require(MlpWidth is >= 1 and <= 1 << 16, nameof(MlpWidth), "1 to 65536", MlpWidth)
        .Require(ContextLength is >= 3 and <= 1024, nameof(ContextLength), "3 to 1024", ContextLength)
        .Require(VocabularySize is >= 3 and <= 1 << 20, nameof(VocabularySize), "3 to 1048576", VocabularySize)
        .Require(JointWidth is >= 1 and <= 1 << 14, nameof(JointWidth), "1 to 16384", JointWidth)
        .Require(Enum.IsDefined(Activation), nameof(Activation), "a defined one", Activation)
        .Require(Epsilon is > 0 and < 1, nameof(Epsilon), "a small positive number", Epsilon)
        .ThrowIfAny(nameof(TextTransformerConfig));

    [System.Text.Json.Serialization.JsonIgnore]
    public TransformerBlocks Blocks => new(Width, MlpWidth, Heads, Epsilon, Activation, Causal: true);
}

/// <summary>A causal text transformer whose embedding is read at the end-of-text token: ImageBind's and CLIP's text towers.</summary>
internal sealed partial class TextTransformer(TextTransformerConfig config, WeightSet weights) : ITextTower
{
    private const double LargestScale = 100;

    public int JointWidth => config.JointWidth;

    public IReadOnlyDictionary<string, Tensor> Weights => weights.ByName;

    /// <summary>Every weight's name and shape.</summary>
    public static IReadOnlyDictionary<string, long[]> Shapes(TextTransformerConfig config)
        => new List<(string Name, long[] Shape)>
        {
            ("tokens", [config.VocabularySize, config.Width]),
            ("positions", [config.ContextLength, config.Width]),
            ("norm.weight", [config.Width]), ("norm.bias", [config.Width]),
            ("head.weight", [config.JointWidth, config.Width]),
            ("log_scale", []),
        }.Concat(Enumerable.Range(0, config.Depth).SelectMany(i => config.Blocks.Shapes($"blocks.{i}.")))
            .ToDictionary(shape => shape.Name, shape => shape.Shape);

    public Tensor Encode(Tensor tokens)
    {
        using var noGradients = no_grad();
        return Forward(tokens);
    }

    public Tensor Embed(Tensor tokens)
    {
        using var noGradients = no_grad();
        return Joint(tokens);
    }

    /// <summary>As <see cref="Encode"/>, with gradients where the weights ask for them.</summary>
    public Tensor Forward(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        return (Joint(tokens).UnitLength(-1) * weights["log_scale"].exp().AtMost(LargestScale)).MoveToOuterDisposeScope();
    }

    /// <summary>The feature at the end of each text in the joint space, of any length: [N, C'].</summary>
    private Tensor Joint(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        return Joint(Looked(tokens), tokens).MoveToOuterDisposeScope();
    }

    /// <summary>The table's rows of token ids: [N, context, D].</summary>
    private Tensor Looked(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        Guard.Shape(tokens, nameof(tokens), -1, config.ContextLength);
        return weights["tokens"].index_select(0, tokens.flatten()).view(-1, config.ContextLength, config.Width).MoveToOuterDisposeScope();
    }

    /// <summary>As the other, of the tokens' embeddings.</summary>
    private Tensor Joint(Tensor embeddings, Tensor tokens)
    {
        using var scope = NewDisposeScope();
        var x = embeddings.Plus(weights["positions"]);
        for (var i = 0; i < config.Depth; i++)
        {
            x = config.Blocks.Forward(x, weights, $"blocks.{i}.");
        }

        var ends = tokens.argmax(-1).view(-1, 1, 1).expand(-1, 1, config.Width);               // the largest id ends the text
        var feature = TransformerBlocks.Norm(x.gather(1, ends).squeeze(1), weights, "norm", config.Epsilon);
        return TransformerBlocks.Linear(feature, weights, "head").MoveToOuterDisposeScope();
    }

    public void MoveTo(Device device) => weights.MoveTo(device);

    public void Dispose() => weights.Dispose();
}
