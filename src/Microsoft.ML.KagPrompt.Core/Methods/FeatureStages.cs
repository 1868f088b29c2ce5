using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Methods;

/// <summary>
/// A backbone's feature maps as methods for convolutional networks want them: the stages of a residual network on their own grids; of any
/// other backbone its taps, all on the one grid that it has.
/// </summary>
internal sealed partial class FeatureStages
{
    private readonly MethodSizes sizes;
    private readonly StageInfo[] stages;

    public FeatureStages(MethodSizes sizes)
    {
        this.sizes = sizes;
        HasStages = sizes.Tower is IStageTower;
        stages = sizes.Tower is IStageTower tower ? [.. tower.Stages]
            : [.. sizes.Main.TapWidths.Select((width, tap) => new StageInfo(width, StepOf(sizes.Main, tap)))];
    }

    /// <summary>Whether they are stages, not taps.</summary>
    public bool HasStages { get; }

    /// <summary>Channels of each.</summary>
    public IReadOnlyList<int> Widths => [.. stages.Select(stage => stage.Width)];

    /// <summary>Numbers of a pooled descriptor.</summary>
    public int DescriptorWidth => HasStages ? stages[^1].Width : sizes.Main.JointWidth;

    /// <summary>Where the cells of a stage, counted from 1, lie as the published methods have it: each in the middle of its tile.</summary>
    public PatchGrid Grid(int stage)
    {
        var side = stages[stage - 1].Side(sizes.ImageSize);
        return PatchGrid.HalfPixel(side, side, sizes.ImageSize, sizes.ImageSize);
    }

    /// <summary>The stages counted from 1 that a method's options name, or by default.</summary>
    /// <param name="chosen">As in the options; null: the default.</param>
    /// <param name="fallback">The default, of which those that there are are taken.</param>
    /// <param name="option">The option's name, for messages.</param>
    /// <exception cref="ArgumentException">The backbone has no such stage.</exception>
    public IReadOnlyList<int> Choose(IReadOnlyList<int>? chosen, IReadOnlyList<int> fallback, string option)
    {
        if (chosen is null)
        {
            int[] there = [.. fallback.Where(stage => stage <= stages.Length)];
            return there.Length > 0 ? there : [stages.Length];
        }

        return chosen.All(stage => stage <= stages.Length) ? chosen : throw new ArgumentException(
            FormattableString.Invariant($"{option}: expected {(HasStages ? "stages" : "taps")} of the backbone, 1 to {stages.Length}, ")
            + $"got {string.Join(", ", chosen)}.");
    }

    /// <summary>Maps of chosen stages and the pooled descriptor. The caller owns them.</summary>
    public StageFeatures Encode(FeatureEncoder encoder, IReadOnlyList<PixelBuffer> squares, IReadOnlyList<int> chosen)
    {
        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        // All stages, whichever are chosen: methods that choose others are served by the same.
        var features = encoder.Tower is IStageTower tower
            ? encoder.Encode(squares, "stages", images => StageFeatures.All(tower.EncodeStages(images))).Choose(chosen)
            : OfTaps(encoder.EncodeByBackbone(squares), chosen);
        foreach (var tensor in features.Tensors)
        {
            tensor.MoveToOuterDisposeScope();
        }

        return features;
    }

    private static int StepOf(VisionTowerInfo info, int tap) => tap < info.TapSteps.Count ? info.TapSteps[tap] : info.PatchSize;

    private static StageFeatures OfTaps(VisionFeatures features, IReadOnlyList<int> chosen)
    {
        return new([.. chosen.Select(tap => Map(features.PatchTokens[tap - 1]))], features.ImageEmbedding);

        static torch.Tensor Map(torch.Tensor tokens)
        {
            var side = (long)Math.Round(Math.Sqrt(tokens.shape[1]));
            return tokens.transpose(1, 2).reshape(tokens.shape[0], tokens.shape[2], side, side).contiguous();
        }
    }
}

/// <summary>Feature maps [B, W, h, w] of a batch, shallow to deep, and a descriptor [B, D] of each image. Owns them.</summary>
internal sealed class StageFeatures(IReadOnlyList<torch.Tensor> maps, torch.Tensor descriptor) : EncodedImages
{
    /// <summary>All stages' maps, and the mean of the last.</summary>
    public static StageFeatures All(IReadOnlyList<torch.Tensor> maps) => new(maps, maps[^1].mean([2, 3]));

    /// <summary>The maps of some stages, counted from 1. They are the same tensors.</summary>
    public StageFeatures Choose(IReadOnlyList<int> chosen) => new([.. chosen.Select(stage => maps[stage - 1])], descriptor);

    public IReadOnlyList<torch.Tensor> Maps => maps;

    public torch.Tensor Descriptor => descriptor;

    public override IEnumerable<torch.Tensor> Tensors => maps.Append(descriptor);

    public override EncodedImages Map(Func<torch.Tensor, torch.Tensor> change)
        => new StageFeatures([.. maps.Select(change)], change(descriptor));
}
