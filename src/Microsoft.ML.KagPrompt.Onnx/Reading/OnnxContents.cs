using System.Globalization;
using Microsoft.ML.KagPrompt.Model;

namespace Microsoft.ML.KagPrompt.OnnxReading;

/// <summary>What an ONNX file says of itself, read before a runtime is given it.</summary>
/// <remarks>The numbers are those of fields in the format's description, onnx.proto.</remarks>
internal sealed class OnnxContents
{
    /// <summary>Graphs lie within operators within graphs; ours lie not at all within each other.</summary>
    private const int MostDepth = 8;

    private readonly Dictionary<string, string> metadata = new(StringComparer.Ordinal);

    private OnnxContents()
    {
    }

    /// <summary>The program that wrote it, or nothing.</summary>
    public string Producer { get; private set; } = "";

    /// <summary>Version of the standard operators; 0: none is named.</summary>
    public long Opset { get; private set; }

    /// <summary>Operator sets beyond the standard one.</summary>
    public SortedSet<string> OtherDomains { get; } = new(StringComparer.Ordinal);

    /// <summary>Named texts.</summary>
    public IReadOnlyDictionary<string, string> Metadata => metadata;

    /// <summary>SHA-256 of the computation as the file holds it, lower-case hexadecimal.</summary>
    public string GraphHash { get; private set; } = "";

    /// <summary>Where constants lie that are not in the file: a path, and the place behind their last byte.</summary>
    public Dictionary<string, long> External { get; } = new(StringComparer.Ordinal);

    /// <exception cref="InvalidDataException">It is no ONNX file; says why.</exception>
    public static OnnxContents Read(ReadOnlySpan<byte> file)
    {
        var contents = new OnnxContents();
        var (version, hasGraph) = (0UL, false);
        var fields = new ProtobufFields(file);
        while (fields.MoveNext())
        {
            switch (fields.Number)
            {
                case 1:
                    version = fields.Value;
                    break;
                case 2 when fields.IsBytes:
                    contents.Producer = fields.Text;
                    break;
                case 7 when fields.IsBytes:
                    hasGraph = true;
                    contents.GraphHash = HashedText.HashOf(fields.Bytes);
                    contents.ReadGraph(fields.Bytes, 0);
                    break;
                case 8 when fields.IsBytes:
                    contents.ReadOperatorSet(fields.Bytes);
                    break;
                case 14 when fields.IsBytes:
                    contents.ReadMetadata(fields.Bytes);
                    break;
                case 20 when fields.IsBytes:
                    throw new InvalidDataException("it holds what training needs, which scoring does not.");
                case 25 when fields.IsBytes:
                    throw new InvalidDataException("it holds functions of its own.");
            }
        }

        return version > 0 && hasGraph && contents.Opset > 0 ? contents
            : throw new InvalidDataException("it holds no computation, or does not say in which version of the operators.");
    }

    private void ReadOperatorSet(ReadOnlySpan<byte> message)
    {
        var (domain, version) = ("", 0L);
        var fields = new ProtobufFields(message);
        while (fields.MoveNext())
        {
            (domain, version) = fields.Number switch
            {
                1 when fields.IsBytes => (fields.Text, version),
                2 => (domain, (long)fields.Value),
                _ => (domain, version),
            };
        }

        if (domain is "" or "ai.onnx")
        {
            Opset = version;
        }
        else
        {
            OtherDomains.Add(domain);
        }
    }

    private void ReadMetadata(ReadOnlySpan<byte> message)
    {
        var (key, value) = Entry(message);
        if (!metadata.TryAdd(key, value))
        {
            throw new InvalidDataException($"it names '{key}' twice.");
        }
    }

    private void ReadGraph(ReadOnlySpan<byte> message, int depth)
    {
        if (depth > MostDepth)
        {
            throw new InvalidDataException($"its computations lie within each other more than {MostDepth} deep.");
        }

        var fields = new ProtobufFields(message);
        while (fields.MoveNext())
        {
            switch (fields.Number)
            {
                case 1 when fields.IsBytes:
                    ReadNode(fields.Bytes, depth);
                    break;
                case 5 when fields.IsBytes:
                    ReadTensor(fields.Bytes);
                    break;
                case 15 when fields.IsBytes:
                    ReadSparse(fields.Bytes);
                    break;
            }
        }
    }

    private void ReadNode(ReadOnlySpan<byte> message, int depth)
    {
        var fields = new ProtobufFields(message);
        while (fields.MoveNext())
        {
            if (fields.Number == 7 && fields.IsBytes && fields.Text is not ("" or "ai.onnx") and var domain)
            {
                OtherDomains.Add(domain);
            }
            else if (fields.Number == 5 && fields.IsBytes)
            {
                ReadAttribute(fields.Bytes, depth);
            }
        }
    }

    private void ReadAttribute(ReadOnlySpan<byte> message, int depth)
    {
        var fields = new ProtobufFields(message);
        while (fields.MoveNext())
        {
            switch (fields.Number)
            {
                case 5 or 10 when fields.IsBytes:
                    ReadTensor(fields.Bytes);
                    break;
                case 6 or 11 when fields.IsBytes:
                    ReadGraph(fields.Bytes, depth + 1);
                    break;
                case 22 or 23 when fields.IsBytes:
                    ReadSparse(fields.Bytes);
                    break;
            }
        }
    }

    private void ReadSparse(ReadOnlySpan<byte> message)
    {
        var fields = new ProtobufFields(message);
        while (fields.MoveNext())
        {
            if (fields.Number is 1 or 2 && fields.IsBytes)
            {
                ReadTensor(fields.Bytes);
            }
        }
    }

    private void ReadTensor(ReadOnlySpan<byte> message)
    {
        var place = new Dictionary<string, string>(StringComparer.Ordinal);
        var isExternal = false;
        var fields = new ProtobufFields(message);
        while (fields.MoveNext())
        {
            if (fields.Number == 13 && fields.IsBytes)
            {
                var (key, value) = Entry(fields.Bytes);
                place[key] = value;
            }

            isExternal |= fields.Number == 14 && fields.Value == 1;
        }

        if (isExternal || place.Count > 0)
        {
            var path = place.GetValueOrDefault("location", "");
            var end = checked(Number(place, "offset") + Number(place, "length"));
            External[path] = Math.Max(External.GetValueOrDefault(path), end);
        }
    }

    private static long Number(Dictionary<string, string> place, string key) => !place.TryGetValue(key, out var text) ? 0
        : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
        : throw new InvalidDataException($"a constant lies at {key} '{text}', which is no number.");

    private static (string Key, string Value) Entry(ReadOnlySpan<byte> message)
    {
        var (key, value) = ("", "");
        var fields = new ProtobufFields(message);
        while (fields.MoveNext())
        {
            (key, value) = fields.Number switch
            {
                1 when fields.IsBytes => (fields.Text, value),
                2 when fields.IsBytes => (key, fields.Text),
                _ => (key, value),
            };
        }

        return (key, value);
    }
}
