using System.IO.Compression;
using System.Text;
using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Backbones.Published;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Text;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.TestSupport;

/// <summary>Readers of weights: safetensors, shards, pickles, converted backbones, vocabularies.</summary>
internal static class WeightReaders
{
    private const string Header = """{"__metadata__":{"format":"pt","vision":"{}"},"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"""
        + """ "b":{"dtype":"F16","shape":[],"data_offsets":[24,26]},"c":{"dtype":"U8","shape":[0,7],"data_offsets":[26,26]}}""";

    private const string Index = """{"metadata":{"total_size":52},"weight_map":{"a":"one.safetensors","b":"one.safetensors","c":"one.safetensors"}}""";

    private const string Configuration = """{"vision_config":{"num_attention_heads":1,"hidden_act":"gelu"},"text_config":{"num_attention_heads":1}}""";

    /// <param name="folder">An empty folder of theirs.</param>
    public static IEnumerable<MutatedReader> All(string folder)
    {
        var whole = Safetensors(Encoding.UTF8.GetBytes(Header));
        yield return new("safetensors header", random => Safetensors(Mutation.Changed(Encoding.UTF8.GetBytes(Header), random)), ReadStream);
        yield return new("safetensors", random => Mutation.Changed(whole, random), ReadStream);
        var file = Path.Combine(folder, "file.safetensors");
        yield return new("safetensors file", random => Mutation.Changed(whole, random), OfFile(file, path => ReadAll(CheckpointFile.Open(path))));

        File.WriteAllBytes(Path.Combine(folder, "one.safetensors"), whole);
        yield return new("shard index", random => Mutation.Changed(Encoding.UTF8.GetBytes(Index), random),
            OfFile(Path.Combine(folder, "model.safetensors.index.json"), path => ReadAll(CheckpointFile.Open(path))));

        var pickle = Pickle();
        yield return new("pickle", random => Mutation.Changed(pickle, random), bytes => new RestrictedUnpickler("mutated", bytes).Load());
        yield return new("pickle in its zip", random => Zip(Mutation.Changed(pickle, random)),
            OfFile(Path.Combine(folder, "one.pth"), path => ReadAll(PyTorchCheckpoint.Open(path))));
        var zip = Zip(pickle);
        yield return new("pickle's zip", random => Mutation.Changed(zip, random),
            OfFile(Path.Combine(folder, "two.pth"), path => ReadAll(CheckpointFile.Open(path))));

        foreach (var reader in Vocabularies(folder).Concat(Backbones(Path.Combine(folder, "backbone"))))
        {
            yield return reader;
        }
    }

    private static IEnumerable<MutatedReader> Vocabularies(string folder)
    {
        TinyBackbones.WriteVocabulary(folder);
        var (ids, merges) = (Path.Combine(folder, "vocab.json"), Path.Combine(folder, "merges.txt"));
        var (text, lines) = (File.ReadAllBytes(ids), "#version: 0.2\na b\nab c</w>\ni n\nt h\nth e</w>\n"u8.ToArray());
        yield return new("vocabulary", random => Mutation.Changed(text, random),
            OfFile(Path.Combine(folder, "other.json"), path => BytePairVocabulary.FromPair(path, merges)));
        yield return new("merges", random => Mutation.Changed(lines, random), bytes => Merge(bytes));
        var packed = Packed(lines);
        yield return new("packed vocabulary", random => Mutation.Changed(packed, random),
            OfFile(Path.Combine(folder, "bpe.txt.gz"), path => VocabularyFiles.OfClip(path)));

        static void Merge(byte[] bytes) => _ = new BytePairVocabulary(VocabularyFiles.Merges(new MemoryStream(bytes), "mutated"), "mutated");
    }

    private static IEnumerable<MutatedReader> Backbones(string folder)
    {
        Directory.CreateDirectory(folder);
        var weights = Path.Combine(folder, "clip.safetensors");
        TinyBackbones.WriteSafetensors(weights, TinyBackbones.Clip(1));
        TinyBackbones.WriteVocabulary(folder);
        var made = Path.Combine(folder, "made");
        BackboneConverter.Convert(weights, made);
        var description = File.ReadAllBytes(Path.Combine(made, "backbone.json"));
        var values = Mutation.OfValues(Encoding.UTF8.GetString(description)).ToArray();
        var json = Path.Combine(made, "backbone.json");
        yield return new("backbone.json", random => Mutation.Changed(description, random), OfFile(json, _ => BackboneSources.Open(made, [])));
        yield return new("values of backbone.json", random => Encoding.UTF8.GetBytes(values[random.Next(values.Length)]),
            OfFile(json, _ => ReadTowers(made))) { Every = 16 };
        var header = HeaderOf(weights);
        yield return new("backbone's safetensors", random => WithHeader(weights, Mutation.Changed(header, random)),
            OfFile(Path.Combine(folder, "mutated.safetensors"), path => ReadTowers(path))) { Every = 16 };
        var beside = Directory.CreateDirectory(Path.Combine(folder, "beside")).FullName;
        File.Copy(weights, Path.Combine(beside, "clip.safetensors"));
        yield return new("config.json", random => Mutation.Changed(Encoding.UTF8.GetBytes(Configuration), random),
            OfFile(Path.Combine(beside, "config.json"), _ => BackboneSources.Open(Path.Combine(beside, "clip.safetensors"), [])));
    }

    /// <summary>Writes an input to a file, whose reading is tried; what lay there is put back.</summary>
    public static Action<byte[]> OfFile(string path, Action<string> read) => bytes =>
    {
        var before = File.Exists(path) ? File.ReadAllBytes(path) : null;
        File.WriteAllBytes(path, bytes);
        try
        {
            read(path);
        }
        finally
        {
            if (before is not null)
            {
                File.WriteAllBytes(path, before);
            }
        }
    };

    private static void ReadStream(byte[] bytes) => ReadAll(SafetensorsFile.Read(new MemoryStream(bytes), "mutated"));

    private static byte[] Safetensors(byte[] header) => [.. BitConverter.GetBytes((long)header.Length), .. header, .. new byte[26]];

    private static byte[] HeaderOf(string path)
    {
        var bytes = File.ReadAllBytes(path);
        return bytes[8..(8 + (int)BitConverter.ToInt64(bytes))];
    }

    private static byte[] WithHeader(string path, byte[] header)
    {
        var bytes = File.ReadAllBytes(path);
        return [.. BitConverter.GetBytes((long)header.Length), .. header, .. bytes[(8 + (int)BitConverter.ToInt64(bytes))..]];
    }

    private static byte[] Pickle() => new PickleWriter().Op(0x80).Op(2).Empty().Mark()
        .Text("a").Tensor("0", "FloatStorage", 6, 1, [2, 2], [1, 2])
        .Text("b").Empty().Text("c").Tensor("0", "FloatStorage", 6, 0, [6], [1]).Op('s').Op('u').Op('.').ToArray();

    private static byte[] Zip(byte[] pickle)
    {
        using var stream = new MemoryStream();
        using (var archive = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, content) in new[] { ("archive/data.pkl", pickle), ("archive/data/0", new byte[24]) })
            {
                using var entry = archive.CreateEntry(name, CompressionLevel.NoCompression).Open();
                entry.Write(content);
            }
        }

        return stream.ToArray();
    }

    private static byte[] Packed(byte[] text)
    {
        using var stream = new MemoryStream();
        using (var zip = new GZipStream(stream, CompressionLevel.Fastest, leaveOpen: true))
        {
            zip.Write(text);
        }

        return stream.ToArray();
    }

    private static void ReadTowers(string path)
    {
        var source = BackboneSources.Open(path, []);
        source.LoadVision(torch.ScalarType.Float32, roundToHalf: false).Dispose();
        source.LoadText()?.Dispose();
    }

    private static void ReadAll(ITensorSource source)
    {
        using (source)
        {
            foreach (var name in source.Entries.Keys)
            {
                source.Read(name).Dispose();
            }
        }
    }
}
