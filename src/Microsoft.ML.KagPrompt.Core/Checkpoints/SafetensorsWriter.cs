using System.Buffers.Binary;
using System.Text.Json;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Checkpoints;

/// <summary>Writes tensors in the safetensors format. The same input gives the same bytes.</summary>
internal static class SafetensorsWriter
{
    /// <summary>Metadata of files that a converter made for this library: what they hold.</summary>
    internal const string KindKey = "kagprompt";

    /// <summary>Writes all tensors, sorted by name, one after the other; each is brought to the CPU only while it is written.</summary>
    /// <param name="destination">A writable stream, left open.</param>
    /// <param name="tensors">Tensors by name; they stay the caller's.</param>
    /// <param name="metadata">Texts for the header's __metadata__; may be empty.</param>
    /// <exception cref="ArgumentException">A tensor's type has no safetensors name.</exception>
    public static void Write(Stream destination, IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        ArgumentNullException.ThrowIfNull(destination);
        ArgumentNullException.ThrowIfNull(tensors);
        ArgumentNullException.ThrowIfNull(metadata);
        var ordered = tensors.OrderBy(entry => entry.Key, StringComparer.Ordinal).ToArray();
        destination.Write(Header([.. ordered.Select(entry => new TensorInfo(entry.Key, entry.Value.dtype, entry.Value.shape))], metadata));
        foreach (var (_, tensor) in ordered)
        {
            using var scope = NewDisposeScope();
            destination.Write(tensor.detach().cpu().contiguous().bytes);
        }
    }

    /// <summary>Everything before the data, the eight bytes of length included, for tensors that follow in this order.</summary>
    internal static byte[] Header(IReadOnlyList<TensorInfo> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        using var buffer = new MemoryStream();
        buffer.Write(stackalloc byte[8]);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            if (metadata.Count > 0)
            {
                json.WriteStartObject("__metadata__");
                foreach (var (key, text) in metadata.OrderBy(entry => entry.Key, StringComparer.Ordinal))
                {
                    json.WriteString(key, text);
                }

                json.WriteEndObject();
            }

            var offset = 0L;
            foreach (var tensor in tensors)
            {
                json.WriteStartObject(tensor.Name);
                json.WriteString("dtype", NameOf(tensor.Name, tensor.Type));
                json.WriteStartArray("shape");
                foreach (var side in tensor.Shape)
                {
                    json.WriteNumberValue(side);
                }

                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                offset += tensor.ByteCount;
                json.WriteNumberValue(offset);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        // The format asks for data aligned to 8 bytes; spaces may follow the JSON.
        while (buffer.Length % 8 != 0)
        {
            buffer.WriteByte((byte)' ');
        }

        var header = buffer.ToArray();
        BinaryPrimitives.WriteUInt64LittleEndian(header, (ulong)header.Length - 8);
        return header;
    }

    private static string NameOf(string name, ScalarType type) => type switch
    {
        ScalarType.Float64 => "F64",
        ScalarType.Float32 => "F32",
        ScalarType.Float16 => "F16",
        ScalarType.BFloat16 => "BF16",
        ScalarType.Int64 => "I64",
        ScalarType.Int32 => "I32",
        ScalarType.Int16 => "I16",
        ScalarType.Int8 => "I8",
        ScalarType.Byte => "U8",
        ScalarType.Bool => "BOOL",
        _ => throw new ArgumentException($"Tensor '{name}' has type {type}, which the safetensors format has no name for.", nameof(type)),
    };
}
