using Google.Protobuf;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Onnx.Schema;
using TorchSharp;
using static Microsoft.ML.KagPrompt.Onnx.Schema.TensorProto.Types;

namespace Microsoft.ML.KagPrompt.Onnx;

/// <summary>
/// A computation in ONNX operators, built value by value. The same operator on the same values is one node, and equal constants are one
/// tensor. Owns the constants; not thread-safe.
/// </summary>
/// <param name="halfWeights">Whether weights are stored in 16 bit; computing is in 32 bit all the same.</param>
/// <param name="atOnce">Similarities of one image that a search holds at a time: of larger banks one part comes after the other.</param>
/// <param name="bytesOfMemory">Whether remembered patches are stored in 8 bit.</param>
internal sealed class OnnxGraph(bool halfWeights = false, long atOnce = OnnxGraph.UsuallyAtOnce, bool bytesOfMemory = false) : IDisposable
{
    /// <summary>The operator set (ai.onnx) that nodes are of.</summary>
    public const int Opset = 18;

    private const double LargestByte = 127;
    private const double LeastLargest = 1e-12;

    /// <summary>4 MB an image, which the processor's caches hold.</summary>
    public const long UsuallyAtOnce = 1 << 20;

    private readonly GraphProto graph = new() { Name = "kagprompt" };
    private readonly Dictionary<string, OnnxValue[]> known = [];
    private readonly OnnxConstants constants = new();

    /// <summary>Whether weights are stored in 16 bit.</summary>
    public bool HasHalfWeights => halfWeights;

    /// <summary>Similarities of one image that a search holds at a time.</summary>
    public long AtOnce => atOnce;

    /// <summary>Whether anything was stored in 8 bit.</summary>
    public bool HasBytes { get; private set; }

    /// <summary>The constants that outputs are made of, in the order in which they came.</summary>
    public IReadOnlyList<OnnxConstant> Constants
    {
        get
        {
            var (_, names) = Needed();
            return [.. constants.All.Where(constant => names.Contains(constant.Name))];
        }
    }

    /// <summary>An input of the computation.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="type">Of its numbers.</param>
    /// <param name="shape">Each side as a number, or by a name where it is free.</param>
    public OnnxValue Input(string name, DataType type, params IReadOnlyList<OnnxSide> shape)
    {
        graph.Input.Add(Described(name, type, shape));
        return new OnnxValue(this, name);
    }

    /// <summary>Makes a value an output, under a name.</summary>
    public void Output(string name, OnnxValue value, DataType type, params IReadOnlyList<OnnxSide> shape)
    {
        graph.Node.Add(new NodeProto { Name = name, OpType = "Identity", Input = { value.Name }, Output = { name } });
        graph.Output.Add(Described(name, type, shape));
    }

    /// <summary>A constant of a tensor's type and shape. The tensor stays the caller's.</summary>
    public OnnxValue Constant(torch.Tensor tensor) => new(this, constants.NameOf(tensor));

    /// <summary>One number.</summary>
    public OnnxValue Constant(double value)
    {
        using var tensor = torch.tensor((float)value);
        return Constant(tensor);
    }

    /// <summary>Whole numbers: sides, places.</summary>
    public OnnxValue Whole(params long[] values)
    {
        using var tensor = torch.tensor(values);
        return Constant(tensor);
    }

    /// <summary>Numbers of 32 bits.</summary>
    public OnnxValue Constant(float[] values, params long[] shape)
    {
        using var tensor = torch.tensor(values, shape);
        return Constant(tensor);
    }

    /// <summary>Marks.</summary>
    public OnnxValue Constant(bool[] values, params long[] shape)
    {
        using var tensor = torch.tensor(values, shape);
        return Constant(tensor);
    }

    /// <summary>Weights or remembered features, which the graph may store in 16 bit; they are of 32 bit in what follows.</summary>
    public OnnxValue Weight(torch.Tensor tensor)
    {
        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        var half = halfWeights ? tensor.to(torch.ScalarType.Float16) : null;
        // A value beyond what 16 bits hold would be infinite.
        return half is not null && half.isfinite().all().item<bool>() ? Constant(half).Cast(DataType.Float)
            : Constant(tensor.to(torch.ScalarType.Float32));
    }

    /// <summary>
    /// Remembered patches of unit length, a column each: [D, M]. In 8 bit the largest number of a column is ±127, and a scale of its own
    /// brings it back.
    /// </summary>
    public OnnxValue Patches(torch.Tensor columns)
    {
        if (!bytesOfMemory)
        {
            return Weight(columns);
        }

        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        var values = columns.to(torch.ScalarType.Float32);
        // A column of zeros has a scale, too.
        var scales = values.abs().amax([0], keepdim: true).AtLeast(LeastLargest).Times(1 / LargestByte);
        HasBytes = true;
        return Node("DequantizeLinear", [Constant(values.div(scales).round().to(torch.ScalarType.Int8)), Constant(scales.flatten())],
            Attr("axis", 1));
    }

    /// <summary>What an operator makes of values.</summary>
    public OnnxValue Node(string op, IReadOnlyList<OnnxValue> inputs, params IReadOnlyList<AttributeProto> attributes)
        => Nodes(op, 1, inputs, attributes)[0];

    /// <summary>The same of an operator with several outputs.</summary>
    public IReadOnlyList<OnnxValue> Nodes(string op, int outputs, IReadOnlyList<OnnxValue> inputs,
        params IReadOnlyList<AttributeProto> attributes)
    {
        var key = $"{op}({string.Join(',', inputs.Select(input => input.Name))}){string.Join(';', attributes)}";
        if (!known.TryGetValue(key, out var values))
        {
            var name = FormattableString.Invariant($"{op}_{graph.Node.Count}");
            values = [.. Enumerable.Range(0, outputs).Select(i => new OnnxValue(this, i == 0 ? name : $"{name}.{i}"))];
            var node = new NodeProto { Name = name, OpType = op };
            node.Input.AddRange(inputs.Select(input => input.Name));
            node.Output.AddRange(values.Select(value => value.Name));
            node.Attribute.AddRange(attributes);
            graph.Node.Add(node);
            known.Add(key, values);
        }

        return values;
    }

    /// <summary>The whole file but for its constants, which the caller adds.</summary>
    public ModelProto ToModel(string producerVersion, IReadOnlyDictionary<string, string> metadata)
    {
        var needed = new GraphProto { Name = graph.Name, Input = { graph.Input }, Output = { graph.Output } };
        needed.Node.AddRange(Needed().Nodes);
        var model = new ModelProto
        {
            IrVersion = 8,
            ProducerName = "Microsoft.ML.KagPrompt",
            ProducerVersion = producerVersion,
            Graph = needed,
            OpsetImport = { new OperatorSetIdProto { Version = Opset } },
        };
        model.MetadataProps.AddRange(metadata.Select(entry => new StringStringEntryProto { Key = entry.Key, Value = entry.Value }));
        return model;
    }

    public void Dispose() => constants.Dispose();

    /// <summary>What outputs are made of: a tower may have been asked for more than its method took.</summary>
    private (IReadOnlyList<NodeProto> Nodes, IReadOnlySet<string> Names) Needed()
    {
        var names = graph.Output.Select(output => output.Name).ToHashSet();
        var nodes = new List<NodeProto>();
        foreach (var node in graph.Node.Reverse().Where(node => node.Output.Any(names.Contains)))
        {
            names.UnionWith(node.Input);
            nodes.Insert(0, node);
        }

        return (nodes, names);
    }

    /// <summary>A whole number that an operator is told.</summary>
    public static AttributeProto Attr(string name, long value)
        => new() { Name = name, Type = AttributeProto.Types.AttributeType.Int, I = value };

    /// <summary>A number that an operator is told.</summary>
    public static AttributeProto Attr(string name, double value)
        => new() { Name = name, Type = AttributeProto.Types.AttributeType.Float, F = (float)value };

    /// <summary>A word that an operator is told.</summary>
    public static AttributeProto Attr(string name, string value)
        => new() { Name = name, Type = AttributeProto.Types.AttributeType.String, S = ByteString.CopyFromUtf8(value) };

    /// <summary>Whole numbers that an operator is told.</summary>
    public static AttributeProto Attr(string name, IEnumerable<long> values)
        => new() { Name = name, Type = AttributeProto.Types.AttributeType.Ints, Ints = { values } };

    private static ValueInfoProto Described(string name, DataType type, IReadOnlyList<OnnxSide> shape)
    {
        var sides = new TensorShapeProto();
        sides.Dim.AddRange(shape.Select(side => side.ToProto()));
        return new() { Name = name, Type = new() { TensorType = new() { ElemType = (int)type, Shape = sides } } };
    }
}

/// <summary>A side of an input or output: so many, or free under a name.</summary>
internal readonly record struct OnnxSide(long Length, string? Name)
{
    public static implicit operator OnnxSide(int length) => new(length, null);

    public static implicit operator OnnxSide(string name) => new(0, name);

    public TensorShapeProto.Types.Dimension ToProto() => Name is null ? new() { DimValue = Length } : new() { DimParam = Name };
}
