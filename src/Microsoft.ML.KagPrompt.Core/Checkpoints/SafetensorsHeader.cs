using System.Buffers.Binary;
using System.Text.Json;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Numerics;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Checkpoints;

/// <summary>A safetensors header, believed only once every number in it agrees with every other and with the file's length.</summary>
internal sealed class SafetensorsHeader
{
    private const long LargestHeader = 32 << 20;
    private const int LargestRank = 16;
    private const int MostTensors = 100_000;

    // One tensor is read through a span, so 2 GiB is the most it can hold.
    private const long LargestTensor = int.MaxValue;

    private SafetensorsHeader() { }

    public Dictionary<string, TensorInfo> Entries { get; } = [];

    public Dictionary<string, string> Metadata { get; } = [];

    /// <summary>Where each tensor's bytes lie, from the file's start.</summary>
    public Dictionary<string, (long Begin, long End)> Offsets { get; } = [];

    public static SafetensorsHeader Parse(string origin, long length, SafetensorsFile.ReadBytes readBytes)
    {
        Span<byte> prefix = stackalloc byte[8];
        readBytes(0, prefix);
        var size = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (size > LargestHeader || (long)size > length - 8)
        {
            throw Damaged(origin, $"a header of at most {Math.Min(LargestHeader, length - 8)} bytes", $"{size}");
        }

        var header = new SafetensorsHeader();
        try
        {
            var text = new byte[size];
            readBytes(8, text);
            using var json = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 8 });
            header.Fill(origin, json.RootElement, 8 + (long)size, length);
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException or FormatException
            or OverflowException or KeyNotFoundException or ArgumentException)
        {
            throw new CheckpointFormatException(
                $"{origin} is not a safetensors file or is damaged: its header is not valid ({fault.Message}). Fetch the file again.",
                fault);
        }

        return header;
    }

    public static CheckpointFormatException TooShort(string origin, long length)
        => Damaged(origin, "at least 8 bytes", $"{length}");

    private static CheckpointFormatException Damaged(string origin, string expected, string got)
        => new($"{origin} is not a safetensors file or is damaged: expected {expected}, got {got}. Fetch the file again.");

    private void Fill(string origin, JsonElement root, long dataStart, long length)
    {
        foreach (var property in root.EnumerateObject())
        {
            if (property.Name == "__metadata__")
            {
                foreach (var text in property.Value.EnumerateObject())
                {
                    Metadata[text.Name] = text.Value.GetString() ?? throw Damaged(origin, $"a text under __metadata__.{text.Name}", "null");
                }

                continue;
            }

            var (info, begin, end) = Entry(origin, property, length - dataStart);
            if (!Entries.TryAdd(property.Name, info))
            {
                throw Damaged(origin, "each tensor once", $"'{property.Name}' twice");
            }

            Offsets.Add(property.Name, (dataStart + begin, dataStart + end));
            if (Entries.Count > MostTensors)
            {
                throw Damaged(origin, $"at most {MostTensors} tensors", "more");
            }
        }

        CheckCoverage(origin, dataStart, length);
    }

    private static (TensorInfo Info, long Begin, long End) Entry(string origin, JsonProperty property, long dataLength)
    {
        var type = TypeOf(origin, property);
        var shape = property.Value.GetProperty("shape").EnumerateArray().Select(size => size.GetInt64()).ToArray();
        var offsets = property.Value.GetProperty("data_offsets").EnumerateArray().Select(offset => offset.GetInt64()).ToArray();
        // No side is longer than the largest tensor, even where another is 0 and the product says nothing.
        if (shape.Length > LargestRank || shape.Any(size => size is < 0 or > LargestTensor))
        {
            throw Damaged(
                origin,
                $"'{property.Name}' with at most {LargestRank} sizes of 0 to {LargestTensor}",
                $"[{string.Join(", ", shape)}]");
        }

        var info = new TensorInfo(property.Name, type, shape);
        var bytes = info.ByteCount;
        if (offsets.Length != 2 || offsets[0] < 0 || offsets[1] < offsets[0] || offsets[1] > dataLength || offsets[1] - offsets[0] != bytes)
        {
            throw Damaged(
                origin,
                $"'{property.Name}' to hold {bytes} bytes within the file's {dataLength}",
                $"offsets [{string.Join(", ", offsets)}]");
        }

        return bytes > LargestTensor
            ? throw new CheckpointFormatException(
                $"{origin}: tensor '{property.Name}' holds {bytes} bytes; at most {LargestTensor} are supported. Split it.")
            : (info, offsets[0], offsets[1]);
    }

    private static ScalarType TypeOf(string origin, JsonProperty property) => property.Value.GetProperty("dtype").GetString() switch
    {
        "F64" => ScalarType.Float64,
        "F32" => ScalarType.Float32,
        "F16" => ScalarType.Float16,
        "BF16" => ScalarType.BFloat16,
        "I64" => ScalarType.Int64,
        "I32" => ScalarType.Int32,
        "I16" => ScalarType.Int16,
        "I8" => ScalarType.Int8,
        "U8" => ScalarType.Byte,
        "BOOL" => ScalarType.Bool,
        var other => throw new CheckpointFormatException($"{origin}: tensor '{property.Name}' has type '{other}'; "
            + "expected F64, F32, F16, BF16, I64, I32, I16, I8, U8 or BOOL. Convert the file."),
    };

    /// <summary>The tensors must fill the data exactly: no byte twice, none left over.</summary>
    private void CheckCoverage(string origin, long dataStart, long length)
    {
        var position = dataStart;
        foreach (var (begin, end) in Offsets.Values.Order())
        {
            if (begin != position)
            {
                throw Damaged(origin, $"the next tensor at byte {position}", $"{begin}");
            }

            position = end;
        }

        if (position != length)
        {
            throw Damaged(origin, $"a file of {position} bytes", $"{length}");
        }
    }
}
