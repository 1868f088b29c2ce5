using System.Buffers.Binary;
using System.IO.Compression;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Microsoft.ML.KagPrompt.TestSupport;

/// <summary>Changes model zips as a stranger might, and leaves them well-formed.</summary>
internal static class ModelZip
{
    /// <summary>The zip that version 0.1.0 wrote; its images and scores lie beside it.</summary>
    public static string Version010 => Fixture("model-0.1.0.zip");

    public static string Fixture(string name) => Path.Combine(AppContext.BaseDirectory, "Fixtures", "models", name);

    /// <summary>Another content for the entry whose name ends so; checksums are right again.</summary>
    public static byte[] With(byte[] zip, string entryName, Func<byte[], byte[]> change)
    {
        using var stream = new MemoryStream();
        stream.Write(zip);
        using (var archive = new ZipArchive(stream, ZipArchiveMode.Update, leaveOpen: true))
        {
            var entry = archive.Entries.Single(candidate => candidate.FullName.EndsWith(entryName, StringComparison.Ordinal));
            using var content = new MemoryStream();
            using (var source = entry.Open())
            {
                source.CopyTo(content);
            }

            var name = entry.FullName;
            entry.Delete();
            using var target = archive.CreateEntry(name).Open();
            target.Write(change(content.ToArray()));
        }

        return stream.ToArray();
    }

    /// <summary>The content of the entry whose name ends so.</summary>
    public static byte[] Entry(byte[] zip, string entryName)
    {
        using var archive = new ZipArchive(new MemoryStream(zip), ZipArchiveMode.Read);
        using var content = new MemoryStream();
        using var source = archive.Entries.Single(candidate => candidate.FullName.EndsWith(entryName, StringComparison.Ordinal)).Open();
        source.CopyTo(content);
        return content.ToArray();
    }

    /// <summary>Another header of a safetensors stream: the JSON object as a tree.</summary>
    public static byte[] WithHeader(byte[] safetensors, Action<JsonObject> change)
    {
        var (length, start) = Header(safetensors);
        var json = JsonNode.Parse(safetensors.AsSpan(start, length))!.AsObject();
        change(json);
        byte[] text = [.. JsonSerializer.SerializeToUtf8Bytes(json)];
        return [.. BitConverter.GetBytes((long)text.Length), .. text, .. safetensors[(start + length)..]];
    }

    /// <summary>Another manifest of a saved model; its hash, if it has one, stays as it was.</summary>
    public static byte[] WithManifest(byte[] safetensors, Func<string, string> change) => WithHeader(safetensors, header =>
    {
        var metadata = header["__metadata__"]!.AsObject();
        metadata["manifest"] = change(metadata["manifest"]!.GetValue<string>());
    });

    /// <summary>Sets one 32-bit value of a tensor.</summary>
    public static byte[] WithValue(byte[] safetensors, string tensor, float value)
    {
        var bare = (byte[])safetensors.Clone();
        var (length, start) = Header(bare);
        var offset = JsonNode.Parse(bare.AsSpan(start, length))![tensor]!["data_offsets"]![0]!.GetValue<int>();
        BinaryPrimitives.WriteSingleLittleEndian(bare.AsSpan(start + length + offset), value);
        return bare;
    }

    private static (int Length, int Start) Header(byte[] safetensors) => ((int)BinaryPrimitives.ReadInt64LittleEndian(safetensors), 8);
}
