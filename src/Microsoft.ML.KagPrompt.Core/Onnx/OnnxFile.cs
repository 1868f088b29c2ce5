using System.Reflection;
using System.Security.Cryptography;
using Google.Protobuf;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Files;
using Microsoft.ML.KagPrompt.Onnx.Schema;

namespace Microsoft.ML.KagPrompt.Onnx;

/// <summary>Writes a computation as an ONNX file.</summary>
internal static class OnnxFile
{
    /// <summary>The format's messages end at 2 GB: of more, weights lie in a second file. Nodes and names need a little of it.</summary>
    public const long MostInside = int.MaxValue - (64L << 20);

    /// <summary>What follows the file's name in the name of the file that weights lie in.</summary>
    public const string DataSuffix = ".data";

    // As readers map files into memory.
    private const long Page = 4096;

    private static readonly string Version = typeof(OnnxFile).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()
        ?.InformationalVersion.Split('+')[0] ?? "";

    /// <summary>The package's version, as files tell it.</summary>
    public static string PackageVersion => Version;

    /// <summary>
    /// Writes a file, which appears whole or not at all. Constants of more than a length in all lie in a second one beside it, which
    /// appears before: an older file between the two has another hash of its weights than they have.
    /// </summary>
    public static void Write(string path, OnnxGraph graph, IReadOnlyDictionary<string, string> metadata, long mostInside = MostInside)
    {
        if (Length(graph) <= mostInside)
        {
            WholeFile.Write(path, stream => Write(stream, graph, metadata));
            return;
        }

        var name = Path.GetFileName(path) + DataSuffix;
        var places = new Dictionary<OnnxConstant, (long Offset, long Length)>();
        WholeFile.Write(path + DataSuffix, stream =>
        {
            foreach (var constant in graph.Constants.Where(constant => constant.ByteCount >= Page))
            {
                stream.Write(new byte[(Page - (stream.Position % Page)) % Page]);
                places.Add(constant, (stream.Position, constant.ByteCount));
                stream.Write(constant.Values.bytes);
            }
        });
        var model = Model(graph, metadata, (constant, proto) =>
        {
            if (!places.TryGetValue(constant, out var place))
            {
                return false;
            }

            proto.DataLocation = TensorProto.Types.DataLocation.External;
            proto.ExternalData.AddRange(new[]
            {
                new StringStringEntryProto { Key = "location", Value = name },
                new StringStringEntryProto { Key = "offset", Value = FormattableString.Invariant($"{place.Offset}") },
                new StringStringEntryProto { Key = "length", Value = FormattableString.Invariant($"{place.Length}") },
            });
            return true;
        });
        using (var data = File.OpenRead(path + DataSuffix))
        {
            Add(model, "data_sha256", SHA256.HashData(data));
        }

        WholeFile.Write(path, stream => model.WriteTo(stream));
    }

    /// <summary>Writes to a stream, left open.</summary>
    /// <exception cref="NotSupportedException">The constants are too long for one stream.</exception>
    public static void Write(Stream destination, OnnxGraph graph, IReadOnlyDictionary<string, string> metadata,
        long mostInside = MostInside)
    {
        if (Length(graph) is var length && length > mostInside)
        {
            throw new NotSupportedException($"The model's weights have {length} bytes: expected at most {mostInside} in one stream, "
                + $"which the format cannot exceed. Export to a file: the weights then lie beside it, in a second one "
                + $"that ends in '{DataSuffix}'; or store them in 16 bit (Precision Float16).");
        }

        Model(graph, metadata, (_, _) => false).WriteTo(destination);
    }

    private static long Length(OnnxGraph graph) => graph.Constants.Sum(constant => constant.ByteCount);

    private static ModelProto Model(OnnxGraph graph, IReadOnlyDictionary<string, string> metadata,
        Func<OnnxConstant, TensorProto, bool> liesOutside)
    {
        var model = graph.ToModel(PackageVersion, metadata);
        foreach (var constant in graph.Constants)
        {
            var proto = new TensorProto { Name = constant.Name, DataType = (int)constant.Type };
            proto.Dims.AddRange(constant.Values.shape);
            if (!liesOutside(constant, proto))
            {
                proto.RawData = ByteString.CopyFrom(constant.Values.bytes);
            }

            model.Graph.Initializer.Add(proto);
        }

        Add(model, "graph_sha256", HashOf(model.Graph));
        return model;
    }

    /// <summary>Of the graph as the file holds it, weights and all: one bit of it, and scores are others.</summary>
    private static byte[] HashOf(GraphProto graph)
    {
        using var hash = SHA256.Create();
        using (var stream = new CryptoStream(Stream.Null, hash, CryptoStreamMode.Write))
        {
            graph.WriteTo(stream);
        }

        return hash.Hash!;
    }

    private static void Add(ModelProto model, string name, byte[] hash)
        => model.MetadataProps.Add(new StringStringEntryProto { Key = $"kagprompt.{name}", Value = Convert.ToHexStringLower(hash) });
}
