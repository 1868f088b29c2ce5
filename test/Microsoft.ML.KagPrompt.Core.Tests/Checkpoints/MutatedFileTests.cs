using System.IO.Compression;
using System.Text;
using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Tests.Checkpoints;

/// <summary>Thousands of small changes to every kind of file that is read: whatever they make of it, only this library's errors escape.</summary>
public sealed class MutatedFileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("kagprompt-mutated-").FullName;

    [Fact]
    public void Safetensors_MutatedHeader_LetsOnlyOurErrorsEscape()
    {
        var json = """{"__metadata__":{"format":"pt","vision":"{}"},"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"b":{"dtype":"F16","shape":[],"data_offsets":[24,26]},"c":{"dtype":"U8","shape":[0,7],"data_offsets":[26,26]}}""";
        var random = new Random(1);
        var headers = Mutation.OfValues(json).Select(Encoding.UTF8.GetBytes).Concat(Enumerable.Range(0, 3000).Select(_ => Mutation.Changed(Encoding.UTF8.GetBytes(json), random)));
        foreach (var header in headers)
        {
            byte[] file = [.. BitConverter.GetBytes((long)header.Length), .. header, .. new byte[26]];
            OnlyOurs(() => ReadAll(SafetensorsFile.Read(new MemoryStream(file), "mutated")), () => Encoding.UTF8.GetString(header));
        }
    }

    [Fact]
    public void Pickle_Mutated_LetsOnlyOurErrorsEscape()
    {
        var pickle = new PickleWriter().Op(0x80).Op(2).Empty().Mark().Text("a").Tensor("0", "FloatStorage", 6, 1, [2, 2], [1, 2]).Text("b").Empty().Text("c").Tensor("0", "FloatStorage", 6, 0, [6], [1]).Op('s').Op('u')
            .Op('.').ToArray();
        var random = new Random(2);
        var path = Path.Combine(folder, "mutated.pth");
        for (var i = 0; i < 4000; i++)
        {
            var mutated = Mutation.Changed(pickle, random);
            OnlyOurs(() => new RestrictedUnpickler("mutated", mutated).Load(), () => Convert.ToHexString(mutated));
            if (i % 10 == 0)
            {
                Zip(path, mutated);
                OnlyOurs(() => ReadAll(PyTorchCheckpoint.Open(path)), () => Convert.ToHexString(mutated));
            }
        }
    }

    [Fact]
    public void Zip_Mutated_LetsOnlyOurErrorsEscape()
    {
        var path = Path.Combine(folder, "mutated.pth");
        Zip(path, new PickleWriter().Op(0x80).Op(2).Empty().Text("a").Tensor("0", "FloatStorage", 6, 1, [2, 2], [1, 2]).Op('s').Op('.').ToArray());
        var (whole, random) = (File.ReadAllBytes(path), new Random(3));
        for (var i = 0; i < 500; i++)
        {
            var mutated = Mutation.Changed(whole, random);
            File.WriteAllBytes(path, mutated);
            OnlyOurs(() => ReadAll(CheckpointFile.Open(path)), () => Convert.ToHexString(mutated));
        }
    }

    [Fact]
    public void BackboneDirectory_Mutated_LetsOnlyOurErrorsEscape()
    {
        TinyBackbones.WriteSafetensors(Path.Combine(folder, "clip.safetensors"), TinyBackbones.Clip(1));
        TinyBackbones.WriteVocabulary(folder);
        var made = Path.Combine(folder, "made");
        BackboneConverter.Convert(Path.Combine(folder, "clip.safetensors"), made);
        var random = new Random(4);
        Mutate(Path.Combine(made, "backbone.json"), text => Mutation.OfValues(text, every: 3), () => ReadTowers(made));
        Mutate(Path.Combine(made, "backbone.json"), text => Enumerable.Range(0, 500).Select(_ => Mutated(text, random)), () => BackboneSources.Open(made, []));
        Mutate(Path.Combine(made, "vocab.json"), text => Enumerable.Range(0, 20).Select(_ => Mutated(text, random)), () => ReadTowers(made));
        File.WriteAllText(Path.Combine(folder, "config.json"), "{}");
        Mutate(Path.Combine(folder, "config.json"), _ => Enumerable.Range(0, 50).Select(_ => Mutated("""{"vision_config":{"num_attention_heads":1,"hidden_act":"gelu"},"text_config":{"num_attention_heads":1}}""", random)),
            () => BackboneSources.Open(Path.Combine(folder, "clip.safetensors"), []));
        File.WriteAllBytes(Path.Combine(folder, "config.json"), [.. "{\"hidden_act\":\""u8, 0xff, 0xfe, .. "\"}"u8]);
        BackboneSources.Open(Path.Combine(folder, "clip.safetensors"), []).Name.Should().NotBeEmpty("another program's file is none of its business");
    }

    [Fact]
    public void Model_MutatedManifest_LetsOnlyOurErrorsEscape()
    {
        var model = ModelZip.Entry(File.ReadAllBytes(ModelZip.Version010), "KagPrompt.safetensors");
        var manifest = "";
        ModelZip.WithManifest(model, text => manifest = text);
        var random = new Random(5);
        foreach (var changed in Mutation.OfValues(manifest, every: 4))
        {
            OnlyOurs(() => KagPromptModel.Load(new MemoryStream(ModelZip.WithManifest(model, _ => changed)), "cpu").Dispose(), () => changed);
        }

        for (var i = 0; i < 2000; i++)
        {
            var changed = Mutated(manifest, random);
            OnlyOurs(() => ModelManifest.Parse(changed, null), () => changed);
            // The hash of a manifest that its maker changed on purpose is right.
            var current = Replace(changed);
            OnlyOurs(() => ModelManifest.Parse(current, HashedText.HashOf(current)), () => current);
        }

        static string Replace(string text) => text.Replace("\"version\":2", "\"version\":3,\"tensors\":{}", StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static string Mutated(string text, Random random) => Encoding.UTF8.GetString(Mutation.Changed(Encoding.UTF8.GetBytes(text), random));

    private static void Mutate(string path, Func<string, IEnumerable<string>> change, Action read)
    {
        var whole = File.ReadAllText(path);
        foreach (var changed in change(whole))
        {
            File.WriteAllText(path, changed);
            OnlyOurs(read, () => changed);
        }

        File.WriteAllText(path, whole);
    }

    private static void ReadTowers(string directory)
    {
        var source = BackboneSources.Open(directory, []);
        source.LoadVision(TorchSharp.torch.ScalarType.Float32, roundToHalf: false).Dispose();
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

    private static void Zip(string path, byte[] pickle)
    {
        File.Delete(path);
        using var archive = ZipFile.Open(path, ZipArchiveMode.Create);
        foreach (var (name, content) in new[] { ("archive/data.pkl", pickle), ("archive/data/0", new byte[24]) })
        {
            using var entry = archive.CreateEntry(name, CompressionLevel.NoCompression).Open();
            entry.Write(content);
        }
    }

    private static void OnlyOurs(Action action, Func<string> input)
    {
        try
        {
            action();
        }
        catch (KagPromptException)
        {
        }
        catch (Exception fault)
        {
            throw new InvalidOperationException($"A foreign error escaped: {fault}\nfor {input()}", fault);
        }
    }
}
