namespace Microsoft.ML.KagPrompt.Onnx;

/// <summary>A tensor that a computation will have: what arithmetic makes of it becomes nodes of its graph.</summary>
/// <param name="Graph">The graph.</param>
/// <param name="Name">Its name in the graph.</param>
internal sealed record OnnxValue(OnnxGraph Graph, string Name)
{
    /// <summary>In the place of an input that an operator may do without.</summary>
    public static OnnxValue None(OnnxGraph graph) => new(graph, "");

    public static OnnxValue operator +(OnnxValue a, OnnxValue b) => a.Graph.Node("Add", [a, b]);

    public static OnnxValue operator +(OnnxValue a, double b) => a + a.Graph.Constant(b);

    public static OnnxValue operator -(OnnxValue a, OnnxValue b) => a.Graph.Node("Sub", [a, b]);

    public static OnnxValue operator -(OnnxValue a, double b) => a - a.Graph.Constant(b);

    public static OnnxValue operator -(double a, OnnxValue b) => b.Graph.Constant(a) - b;

    public static OnnxValue operator *(OnnxValue a, OnnxValue b) => a.Graph.Node("Mul", [a, b]);

    public static OnnxValue operator *(OnnxValue a, double b) => a * a.Graph.Constant(b);

    public static OnnxValue operator /(OnnxValue a, OnnxValue b) => a.Graph.Node("Div", [a, b]);

    public static OnnxValue operator /(OnnxValue a, double b) => a / a.Graph.Constant(b);

    public static OnnxValue operator /(double a, OnnxValue b) => b.Graph.Constant(a) / b;

    public static OnnxValue operator <=(OnnxValue a, OnnxValue b) => a.Graph.Node("LessOrEqual", [a, b]);

    public static OnnxValue operator >=(OnnxValue a, OnnxValue b) => a.Graph.Node("GreaterOrEqual", [a, b]);

    public static OnnxValue operator >(OnnxValue a, OnnxValue b) => a.Graph.Node("Greater", [a, b]);

    public static OnnxValue operator <(OnnxValue a, OnnxValue b) => a.Graph.Node("Less", [a, b]);

    public static OnnxValue operator |(OnnxValue a, OnnxValue b) => a.Graph.Node("Or", [a, b]);

    public static OnnxValue operator !(OnnxValue a) => a.Graph.Node("Not", [a]);
}
