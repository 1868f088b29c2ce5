using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Backbones.Vit;

/// <summary>Where two streams stand after a block.</summary>
/// <param name="Attended">The ordinary stream inside the block, its attention added.</param>
/// <param name="Original">The ordinary stream.</param>
/// <param name="Value">The stream of values.</param>
internal readonly record struct ValueStep(Tensor Attended, Tensor Original, Tensor Value);

/// <content>A block with a second stream beside its own.</content>
internal sealed partial record TransformerBlocks
{
    /// <summary>
    /// The ordinary stream as ever; the other one takes the attention of the ordinary stream's values with themselves, and neither norm nor
    /// MLP. The caller owns the tensors.
    /// </summary>
    public ValueStep Forward(Tensor original, Tensor value, WeightSet weights, string prefix)
    {
        using var scope = NewDisposeScope();
        var (queries, keys, values) = Attending(Norm(original, weights, $"{prefix}norm1", Epsilon), weights, prefix);
        var attended = original.Plus(Mixed(queries, keys, values, weights, prefix));
        var alike = value.Plus(Mixed(values, values, values, weights, prefix));
        return new(attended.MoveToOuterDisposeScope(), Thought(attended, weights, prefix).MoveToOuterDisposeScope(),
            alike.MoveToOuterDisposeScope());
    }
}
