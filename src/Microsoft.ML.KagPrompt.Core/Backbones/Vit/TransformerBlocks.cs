using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Numerics;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.KagPrompt.Backbones.Vit;

/// <summary>
/// Pre-norm transformer blocks over named weights, shared by vision and text towers: x + attention(norm1 x), then x + mlp(norm2 x); DINOv2
/// scales both additions per channel (LayerScale), and its largest gates the MLP (SwiGLU).
/// </summary>
internal sealed partial record TransformerBlocks(int Width, int MlpWidth, int Heads, double Epsilon, Activation Activation, bool Causal)
{
    public bool LayerScale { get; init; }

    /// <summary>The weights of one block under a prefix.</summary>
    public IEnumerable<(string Name, long[] Shape)> Shapes(string prefix) =>
    [
        ($"{prefix}norm1.weight", [Width]), ($"{prefix}norm1.bias", [Width]),
        ($"{prefix}qkv.weight", [3 * Width, Width]), ($"{prefix}qkv.bias", [3 * Width]),
        ($"{prefix}out.weight", [Width, Width]), ($"{prefix}out.bias", [Width]),
        ($"{prefix}norm2.weight", [Width]), ($"{prefix}norm2.bias", [Width]),
        ($"{prefix}fc1.weight", [InnerWidth, Width]), ($"{prefix}fc1.bias", [InnerWidth]),
        ($"{prefix}fc2.weight", [Width, MlpWidth]), ($"{prefix}fc2.bias", [Width]),
        .. LayerScale ? new (string, long[])[] { ($"{prefix}scale1", [Width]), ($"{prefix}scale2", [Width]) } : [],
    ];

    /// <summary>Values before the activation: a gate takes half of them.</summary>
    private int InnerWidth => Activation == Activation.SwiGlu ? 2 * MlpWidth : MlpWidth;

    /// <summary>[B, N, D] → [B, N, D].</summary>
    public Tensor Forward(Tensor x, WeightSet weights, string prefix)
    {
        using var scope = NewDisposeScope();
        var (queries, keys, values) = Attending(Norm(x, weights, $"{prefix}norm1", Epsilon), weights, prefix);
        return Thought(x.Plus(Mixed(queries, keys, values, weights, prefix)), weights, prefix).MoveToOuterDisposeScope();
    }

    public static Tensor Norm(Tensor x, WeightSet weights, string name, double epsilon)
        => functional.layer_norm(x, [x.shape[^1]], weights[$"{name}.weight"], weights[$"{name}.bias"], epsilon);

    public static Tensor Linear(Tensor x, WeightSet weights, string name)
        => functional.linear(x, weights[$"{name}.weight"], weights.Find($"{name}.bias"));

    private Tensor Scaled(Tensor x, WeightSet weights, string name) => LayerScale ? x * weights[name] : x;

    /// <summary>A block's second half: the MLP's answer added.</summary>
    private Tensor Thought(Tensor attended, WeightSet weights, string prefix)
    {
        var hidden = Activation.Apply(Linear(Norm(attended, weights, $"{prefix}norm2", Epsilon), weights, $"{prefix}fc1"));
        return attended.Plus(Scaled(Linear(hidden, weights, $"{prefix}fc2"), weights, $"{prefix}scale2"));
    }

    /// <summary>Queries, keys and values of normed tokens, [B, h, N, D/h] each.</summary>
    private (Tensor Queries, Tensor Keys, Tensor Values) Attending(Tensor x, WeightSet weights, string prefix)
    {
        var heads = Linear(x, weights, $"{prefix}qkv")
            .view(x.shape[0], x.shape[1], 3, Heads, Width / Heads).permute(2, 0, 3, 1, 4).unbind(0);
        return (heads[0], heads[1], heads[2]);
    }

    /// <summary>What attention adds: [B, N, D].</summary>
    private Tensor Mixed(Tensor queries, Tensor keys, Tensor values, WeightSet weights, string prefix)
    {
        var mixed = functional.scaled_dot_product_attention(queries, keys, values, is_casual: Causal).transpose(1, 2);
        return Scaled(Linear(mixed.reshape(mixed.shape[0], mixed.shape[1], Width), weights, $"{prefix}out"), weights, $"{prefix}scale1");
    }
}
