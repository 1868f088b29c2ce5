using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Backbones.Vit;

/// <content>The same blocks with a stream of values beside the ordinary one.</content>
internal sealed partial class VisionTransformer : IValuePathTower
{
    /// <summary>The second stream leaves the ordinary one so many blocks before the end, or at the start of a shorter tower.</summary>
    private const int ValueBlocks = 12;

    public int Depth => config.Depth;

    public ValuePathFeatures EncodeValuePath(Tensor images, IReadOnlyList<int> attended)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var kept = new Dictionary<int, Tensor>();
        var last = default(ValueStep);
        foreach (var (step, block) in ValueSteps(images).Select((step, block) => (step, block)))
        {
            last = step;
            if (attended.Contains(block))
            {
                kept.Add(block, Patches(step.Attended).to(ScalarType.Float32).contiguous());
            }
        }

        var patches = TransformerBlocks.Norm(Patches(last.Value), weights, "norm", config.Epsilon);
        var joint = (config.Head ? TransformerBlocks.Linear(patches, weights, "head") : patches).to(ScalarType.Float32);
        return new(Joint(last.Original).MoveToOuterDisposeScope(), joint.MoveToOuterDisposeScope(),
            [.. attended.Select(block => kept[block].MoveToOuterDisposeScope())]);
    }

    /// <summary>
    /// Both streams after each block, [B, 1 + registers + L, D]; they live until the next step is asked for. Within the caller's dispose
    /// scope, without gradients.
    /// </summary>
    public IEnumerable<ValueStep> ValueSteps(Tensor images)
    {
        var original = BeforeTrunk(Placed(images));
        var value = original.alias();
        for (var i = 0; i < config.Depth; i++)
        {
            var step = config.Blocks.Forward(original, value, weights, $"blocks.{i}.");
            original.Dispose();
            value.Dispose();
            if (i < config.Depth - ValueBlocks)
            {
                step.Value.Dispose();
                step = step with { Value = step.Original.alias() };
            }

            (original, value) = (step.Original, step.Value);
            yield return step;
            step.Attended.Dispose();
        }
    }

    private Tensor Patches(Tensor tokens) => tokens.narrow(1, 1 + config.Registers, tokens.shape[1] - 1 - config.Registers);
}
