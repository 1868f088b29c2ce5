using System.Runtime.InteropServices;
using System.Text;
using Google.Protobuf;

namespace Microsoft.ML.KagPrompt.ResNet18Weights;

/// <summary>The nodes (first outputs alone) and 32-bit initialisers of an ONNX file: as much of the format as the program needs.</summary>
internal sealed class OnnxGraph
{
    private const int ModelGraph = 7;
    private const int GraphNode = 1;
    private const int GraphInitializer = 5;
    private const int GraphOutput = 12;
    private const int FloatType = 1;

    private OnnxGraph(IReadOnlyList<Node> nodes, IReadOnlyDictionary<string, Values> initializers) => (Nodes, Initializers) = (nodes, initializers);

    public IReadOnlyList<Node> Nodes { get; }

    public IReadOnlyDictionary<string, Values> Initializers { get; }

    public static OnnxGraph Read(string path)
    {
        var graph = Fields(Fields(File.ReadAllBytes(path)).Single(field => field.Number == ModelGraph).Bytes);
        return new(
            [.. graph.Where(field => field.Number == GraphNode).Select(field => Node.Read(Fields(field.Bytes)))],
            graph.Where(field => field.Number == GraphInitializer).Select(field => Values.Read(Fields(field.Bytes))).ToDictionary(values => values.Name));
    }

    /// <summary>The file's bytes with further outputs: values from inside the graph, by name.</summary>
    public static byte[] WithOutputs(string path, IEnumerable<string> names)
    {
        var file = File.ReadAllBytes(path);
        var model = new MemoryStream();
        model.Write(file);
        // By the format's rules a second graph field is merged with the first.
        var outputs = new MemoryStream();
        Append(outputs, GraphOutput, names.Select(name => Encoded(1, Encoding.UTF8.GetBytes(name))));
        model.Write(Encoded(ModelGraph, outputs.ToArray()));
        return model.ToArray();
    }

    private static void Append(Stream stream, int number, IEnumerable<byte[]> messages)
    {
        foreach (var message in messages)
        {
            stream.Write(Encoded(number, message));
        }
    }

    private static byte[] Encoded(int number, byte[] content)
    {
        var buffer = new MemoryStream();
        using (var output = new CodedOutputStream(buffer, leaveOpen: true))
        {
            output.WriteTag(number, WireFormat.WireType.LengthDelimited);
            output.WriteBytes(ByteString.CopyFrom(content));
        }

        return buffer.ToArray();
    }

    private static List<Field> Fields(byte[] message)
    {
        var input = new CodedInputStream(message);
        var fields = new List<Field>();
        for (var tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            var number = WireFormat.GetTagFieldNumber(tag);
            fields.Add(WireFormat.GetTagWireType(tag) switch
            {
                WireFormat.WireType.Varint => new(number, (long)input.ReadUInt64(), []),
                WireFormat.WireType.Fixed32 => new(number, input.ReadFixed32(), []),
                WireFormat.WireType.Fixed64 => new(number, (long)input.ReadFixed64(), []),
                WireFormat.WireType.LengthDelimited => new(number, 0, input.ReadBytes().ToByteArray()),
                var other => throw new InvalidDataException($"Field {number}: expected a wire type of ONNX, got {other}."),
            });
        }

        return fields;
    }

    private static string Text(IEnumerable<Field> fields, int number) => Encoding.UTF8.GetString(fields.First(field => field.Number == number).Bytes);

    internal sealed record Node(string Kind, IReadOnlyList<string> Inputs, string Output)
    {
        public static Node Read(List<Field> fields) => new(Text(fields, 4),
            [.. fields.Where(field => field.Number == 1).Select(field => Encoding.UTF8.GetString(field.Bytes))], Text(fields, 2));
    }

    internal sealed record Values(string Name, long[] Shape, float[] Data)
    {
        public static Values Read(List<Field> fields)
        {
            var name = Text(fields, 8);
            var type = fields.Single(field => field.Number == 2).Value;
            return type == FloatType ? new(name, [.. fields.Where(field => field.Number == 1).Select(field => field.Value)],
                    MemoryMarshal.Cast<byte, float>(fields.Single(field => field.Number == 4).Bytes).ToArray())
                : throw new InvalidDataException($"'{name}': expected 32-bit values, got type {type}.");
        }
    }

    internal sealed record Field(int Number, long Value, byte[] Bytes);
}
