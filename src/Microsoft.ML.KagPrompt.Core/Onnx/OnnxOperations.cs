using TorchSharp;
using static Microsoft.ML.KagPrompt.Onnx.OnnxGraph;
using static Microsoft.ML.KagPrompt.Onnx.Schema.TensorProto.Types;

namespace Microsoft.ML.KagPrompt.Onnx;

/// <summary>Operators by the names that tensors know them by.</summary>
internal static class OnnxOperations
{
    private const double LeastLength = 1e-12;

    public static OnnxValue MatMul(this OnnxValue a, OnnxValue b) => a.Graph.Node("MatMul", [a, b]);

    /// <summary>x Wᵀ + b of a layer's weight [O, I] and bias [O] or none.</summary>
    public static OnnxValue Linear(this OnnxValue x, torch.Tensor weight, torch.Tensor? bias)
    {
        using var scope = torch.NewDisposeScope();
        var product = x.MatMul(x.Graph.Weight(weight.t()));
        return bias is null ? product : product + x.Graph.Weight(bias);
    }

    /// <summary>[N, I, H, W] with kernels [O, I, h, w] and bias [O] or none → [N, O, H', W'].</summary>
    public static OnnxValue Conv(this OnnxValue x, torch.Tensor weight, torch.Tensor? bias, long stride = 1, long padding = 0)
    {
        OnnxValue[] inputs = bias is null ? [x, x.Graph.Weight(weight)] : [x, x.Graph.Weight(weight), x.Graph.Weight(bias)];
        return x.Graph.Node("Conv", inputs, Attr("kernel_shape", weight.shape[2..]), Attr("strides", [stride, stride]),
            Attr("pads", [padding, padding, padding, padding]));
    }

    public static OnnxValue MaxPool(this OnnxValue x, long kernel, long stride, long padding) => x.Graph.Node("MaxPool", [x],
        Attr("kernel_shape", [kernel, kernel]), Attr("strides", [stride, stride]), Attr("pads", [padding, padding, padding, padding]));

    /// <summary>Means of tiles; the last ones may hang over the edge, and are means of what lies inside.</summary>
    public static OnnxValue MeanOfTiles(this OnnxValue x, long side) => x.Graph.Node("AveragePool", [x],
        Attr("kernel_shape", [side, side]), Attr("strides", [side, side]), Attr("ceil_mode", 1));

    public static OnnxValue Relu(this OnnxValue x) => x.Graph.Node("Relu", [x]);

    public static OnnxValue Sigmoid(this OnnxValue x) => x.Graph.Node("Sigmoid", [x]);

    public static OnnxValue Tanh(this OnnxValue x) => x.Graph.Node("Tanh", [x]);

    public static OnnxValue Exp(this OnnxValue x) => x.Graph.Node("Exp", [x]);

    public static OnnxValue Sqrt(this OnnxValue x) => x.Graph.Node("Sqrt", [x]);

    public static OnnxValue Erf(this OnnxValue x) => x.Graph.Node("Erf", [x]);

    public static OnnxValue Abs(this OnnxValue x) => x.Graph.Node("Abs", [x]);

    public static OnnxValue Neg(this OnnxValue x) => x.Graph.Node("Neg", [x]);

    public static OnnxValue Reciprocal(this OnnxValue x) => x.Graph.Node("Reciprocal", [x]);

    /// <summary>x / σ normed over the last dimension, scaled and shifted.</summary>
    public static OnnxValue LayerNorm(this OnnxValue x, torch.Tensor weight, torch.Tensor bias, double epsilon) => x.Graph.Node(
        "LayerNormalization", [x, x.Graph.Weight(weight), x.Graph.Weight(bias)], Attr("axis", -1), Attr("epsilon", epsilon));

    /// <summary>1 − x.</summary>
    public static OnnxValue Complement(this OnnxValue x) => 1 - x;

    public static OnnxValue Squared(this OnnxValue x) => x * x;

    public static OnnxValue AtLeast(this OnnxValue x, double low) => x.Graph.Node("Max", [x, x.Graph.Constant(low)]);

    public static OnnxValue Maximum(this OnnxValue a, OnnxValue b) => a.Graph.Node("Max", [a, b]);

    public static OnnxValue Softmax(this OnnxValue x, long axis) => x.Graph.Node("Softmax", [x], Attr("axis", axis));

    public static OnnxValue Cast(this OnnxValue x, DataType type) => x.Graph.Node("Cast", [x], Attr("to", (long)type));

    /// <summary>Round half to even.</summary>
    public static OnnxValue Round(this OnnxValue x) => x.Graph.Node("Round", [x]);

    /// <summary>One value where marks are true, another elsewhere.</summary>
    public static OnnxValue Where(this OnnxValue marks, OnnxValue yes, OnnxValue no) => marks.Graph.Node("Where", [marks, yes, no]);

    public static OnnxValue Sum(this OnnxValue x, long axis, bool keep = false) => x.Reduced("ReduceSum", [axis], keep);

    public static OnnxValue Mean(this OnnxValue x, long axis, bool keep = false) => x.Reduced("ReduceMean", [axis], keep);

    public static OnnxValue Mean(this OnnxValue x, long[] axes) => x.Reduced("ReduceMean", axes, keep: false);

    public static OnnxValue Largest(this OnnxValue x, params long[] axes) => x.Reduced("ReduceMax", axes, keep: false);

    public static OnnxValue Least(this OnnxValue x, params long[] axes) => x.Reduced("ReduceMin", axes, keep: false);

    /// <summary>x / max(‖x‖₂, 1e-12) along one dimension.</summary>
    public static OnnxValue UnitLength(this OnnxValue x, long axis) => x / x.Squared().Sum(axis, keep: true).Sqrt().AtLeast(LeastLength);

    /// <summary>The mean of a row's largest values: [N, n] → [N].</summary>
    public static OnnxValue MeanOfLargest(this OnnxValue x, long count)
        => x.TopK(count, largest: true).Values.Mean(1);

    /// <summary>The largest (least) values of each row, first the most extreme, and where they lie: [N, n] → [N, k] each.</summary>
    public static (OnnxValue Values, OnnxValue Places) TopK(this OnnxValue x, long count, bool largest)
    {
        var found = x.Graph.Nodes("TopK", 2, [x, x.Graph.Whole(count)], Attr("axis", -1), Attr("largest", largest ? 1 : 0));
        return (found[0], found[1]);
    }

    private static OnnxValue Reduced(this OnnxValue x, string op, long[] axes, bool keep)
        => x.Graph.Node(op, [x, x.Graph.Whole(axes)], Attr("keepdims", keep ? 1 : 0));
}
