using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Onnx;

namespace Microsoft.ML.KagPrompt.Backbones.Vit;

/// <summary>As <see cref="ValueStep"/>, to be computed.</summary>
internal readonly record struct ValueStepValues(OnnxValue Attended, OnnxValue Original, OnnxValue Value);

/// <content>The same in ONNX operators; of towers that see images, whose tokens all see each other.</content>
internal sealed partial record TransformerBlocks
{
    /// <summary>[N, n, D] → [N, n, D].</summary>
    public OnnxValue Emit(OnnxValue x, WeightSet weights, string prefix)
    {
        var (queries, keys, values) = Attending(x, weights, prefix);
        return Thought(x + Mixed(queries, keys, values, weights, prefix), weights, prefix);
    }

    /// <summary>The same with the stream of values beside it.</summary>
    public ValueStepValues Emit(OnnxValue original, OnnxValue value, WeightSet weights, string prefix)
    {
        var (queries, keys, values) = Attending(original, weights, prefix);
        var attended = original + Mixed(queries, keys, values, weights, prefix);
        return new(attended, Thought(attended, weights, prefix), value + Mixed(values, values, values, weights, prefix));
    }

    public static OnnxValue Norm(OnnxValue x, WeightSet weights, string name, double epsilon)
        => x.LayerNorm(weights[$"{name}.weight"], weights[$"{name}.bias"], epsilon);

    public static OnnxValue Linear(OnnxValue x, WeightSet weights, string name)
        => x.Linear(weights[$"{name}.weight"], weights.Find($"{name}.bias"));

    private OnnxValue Scaled(OnnxValue x, WeightSet weights, string name) => LayerScale ? x * x.Graph.Weight(weights[name]) : x;

    private OnnxValue Thought(OnnxValue attended, WeightSet weights, string prefix)
    {
        var inner = Linear(Norm(attended, weights, $"{prefix}norm2", Epsilon), weights, $"{prefix}fc1");
        return attended + Scaled(Linear(Activation.Emit(inner, MlpWidth), weights, $"{prefix}fc2"), weights, $"{prefix}scale2");
    }

    private (OnnxValue Queries, OnnxValue Keys, OnnxValue Values) Attending(OnnxValue x, WeightSet weights, string prefix)
    {
        var heads = Linear(Norm(x, weights, $"{prefix}norm1", Epsilon), weights, $"{prefix}qkv")
            .Reshape(0, 0, 3, Heads, Width / Heads).Permute(2, 0, 3, 1, 4);                         // [3, N, h, n, D/h]
        return (heads.Select(0, 0), heads.Select(0, 1), heads.Select(0, 2));
    }

    private OnnxValue Mixed(OnnxValue queries, OnnxValue keys, OnnxValue values, WeightSet weights, string prefix)
    {
        var scale = 1 / Math.Sqrt((double)Width / Heads);
        var attention = (queries * scale).MatMul(keys.Permute(0, 1, 3, 2)).Softmax(-1);
        var mixed = attention.MatMul(values).Permute(0, 2, 1, 3).Reshape(0, 0, Width);
        return Scaled(Linear(mixed, weights, $"{prefix}out"), weights, $"{prefix}scale1");
    }
}
