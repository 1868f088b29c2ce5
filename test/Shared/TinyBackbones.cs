using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.TestSupport;

/// <summary>Checkpoints of published families at sizes for tests, with random values.</summary>
internal static class TinyBackbones
{
    public const int Width = 64;
    public const int Joint = 32;
    public const int ImageSize = 56;

    private const int Depth = 4;
    private const int TextDepth = 2;
    private const int Context = 77;
    private const string End = "</w>";

    /// <summary>An OpenCLIP checkpoint (taps of width 64, patch 14, 56 pixels) with a vocabulary of bytes.</summary>
    public static Dictionary<string, torch.Tensor> Clip(int seed)
    {
        using var random = new torch.Generator((ulong)seed);
        var tensors = new Dictionary<string, torch.Tensor>();
        New(tensors, random, "visual.conv1.weight", Width, 3, 14, 14);
        New(tensors, random, "visual.class_embedding", Width);
        New(tensors, random, "visual.positional_embedding", 17, Width);
        New(tensors, random, "visual.proj", Width, Joint);
        New(tensors, random, "token_embedding.weight", 514, Width);
        New(tensors, random, "positional_embedding", Context, Width);
        New(tensors, random, "text_projection", Width, Joint);
        tensors["logit_scale"] = torch.tensor(2.6f);
        foreach (var name in (string[])["visual.ln_pre", "visual.ln_post", "ln_final"])
        {
            Norm(tensors, random, name);
        }

        foreach (var prefix in Enumerable.Range(0, Depth).Select(i => $"visual.transformer.resblocks.{i}").Concat(Enumerable.Range(0, TextDepth).Select(i => $"transformer.resblocks.{i}")))
        {
            Norm(tensors, random, $"{prefix}.ln_1");
            Norm(tensors, random, $"{prefix}.ln_2");
            New(tensors, random, $"{prefix}.attn.in_proj_weight", 3 * Width, Width);
            New(tensors, random, $"{prefix}.attn.in_proj_bias", 3 * Width);
            Linear(tensors, random, $"{prefix}.attn.out_proj", Width, Width);
            Linear(tensors, random, $"{prefix}.mlp.c_fc", 2 * Width, Width);
            Linear(tensors, random, $"{prefix}.mlp.c_proj", Width, 2 * Width);
        }

        return tensors;
    }

    /// <summary>A DINOv2 checkpoint (taps of width 64, patch 14, 56 pixels), with registers where told so; it has no text side.</summary>
    public static Dictionary<string, torch.Tensor> DinoV2(int seed, int registers = 0)
    {
        using var random = new torch.Generator((ulong)seed);
        var tensors = new Dictionary<string, torch.Tensor>();
        Linear(tensors, random, "patch_embed.proj", Width, 3, 14, 14);
        New(tensors, random, "cls_token", 1, 1, Width);
        New(tensors, random, "pos_embed", 1, 17, Width);
        New(tensors, random, "mask_token", 1, Width);
        if (registers > 0)
        {
            New(tensors, random, "register_tokens", 1, registers, Width);
        }

        Norm(tensors, random, "norm");
        foreach (var prefix in Enumerable.Range(0, Depth).Select(i => $"blocks.{i}"))
        {
            Norm(tensors, random, $"{prefix}.norm1");
            Norm(tensors, random, $"{prefix}.norm2");
            Linear(tensors, random, $"{prefix}.attn.qkv", 3 * Width, Width);
            Linear(tensors, random, $"{prefix}.attn.proj", Width, Width);
            Linear(tensors, random, $"{prefix}.mlp.fc1", 4 * Width, Width);
            Linear(tensors, random, $"{prefix}.mlp.fc2", Width, 4 * Width);
            New(tensors, random, $"{prefix}.ls1.gamma", Width);
            New(tensors, random, $"{prefix}.ls2.gamma", Width);
        }

        return tensors;
    }

    public static void WriteSafetensors(string path, IReadOnlyDictionary<string, torch.Tensor> tensors)
    {
        using var file = File.Create(path);
        SafetensorsWriter.Write(file, tensors, new Dictionary<string, string> { ["format"] = "pt" });
    }

    /// <summary>As torch.save writes a dictionary of float32 tensors; with a name, inside another dictionary under it.</summary>
    public static void WritePyTorch(string path, IReadOnlyDictionary<string, torch.Tensor> tensors, string? under = null)
    {
        File.Delete(path);
        using var archive = ZipFile.Open(path, ZipArchiveMode.Create);
        var pickle = new PickleWriter().Op(0x80).Op(2).Empty();
        _ = under is null ? pickle : pickle.Text(under).Empty();
        pickle.Mark();
        var key = 0;
        foreach (var (name, tensor) in tensors)
        {
            pickle.Text(name).Tensor($"{key}", "FloatStorage", (int)tensor.numel(), 0, tensor.shape, tensor.contiguous().stride());
            using var storage = archive.CreateEntry($"archive/data/{key++}", CompressionLevel.NoCompression).Open();
            storage.Write(tensor.contiguous().bytes);
        }

        pickle.Op('u');
        _ = under is null ? pickle : pickle.Op('s');
        using var data = archive.CreateEntry("archive/data.pkl", CompressionLevel.NoCompression).Open();
        data.Write(pickle.Op('.').ToArray());
    }

    /// <summary>vocab.json and merges.txt of a byte-pair vocabulary without merges: 256 bytes, 256 that end a word, start and end.</summary>
    public static void WriteVocabulary(string folder)
    {
        var printable = Enumerable.Range('!', '~' - '!' + 1).Concat(Enumerable.Range(0xA1, 0xAC - 0xA1 + 1)).Concat(Enumerable.Range(0xAE, 0xFF - 0xAE + 1)).ToArray();
        var symbols = printable.Select(code => ((char)code).ToString()).Concat(Enumerable.Range(256, 256 - printable.Length).Select(code => ((char)code).ToString())).ToArray();
        string[] tokens = [.. symbols, .. symbols.Select(symbol => symbol + End), "<|startoftext|>", "<|endoftext|>"];
        File.WriteAllText(Path.Combine(folder, "vocab.json"), JsonSerializer.Serialize(tokens.Index().ToDictionary(entry => entry.Item, entry => entry.Index)), new UTF8Encoding(false));
        File.WriteAllText(Path.Combine(folder, "merges.txt"), "#version: 0.2\n");
    }

    private static void New(Dictionary<string, torch.Tensor> tensors, torch.Generator random, string name, params long[] shape)
        => tensors.Add(name, torch.randn(shape, generator: random).mul_(shape.Length > 1 ? 1 / MathF.Sqrt(shape.Skip(1).Aggregate(1L, (product, size) => product * size)) : 0.3f));

    private static void Linear(Dictionary<string, torch.Tensor> tensors, torch.Generator random, string name, params long[] shape)
    {
        New(tensors, random, $"{name}.weight", shape);
        New(tensors, random, $"{name}.bias", shape[0]);
    }

    private static void Norm(Dictionary<string, torch.Tensor> tensors, torch.Generator random, string name)
    {
        tensors.Add($"{name}.weight", torch.ones(Width));
        New(tensors, random, $"{name}.bias", Width);
    }
}
