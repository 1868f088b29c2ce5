using System.IO.Compression;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Benchmarks.FullSize;

/// <summary>Files with the names, shapes and formats of published checkpoints at their real sizes, and random values.</summary>
internal static class RandomCheckpoints
{
    private const int Joint = 1024;

    /// <summary>What a preset's published file is called, and its writer.</summary>
    public static readonly IReadOnlyDictionary<string, (string FileName, Action<string> Write)> All = new Dictionary<string, (string, Action<string>)>
    {
        ["imagebind-huge"] = ("imagebind_huge.pth", path => WritePyTorch(path, ImageBind())),
        ["openclip-vit-h-14"] = ("open_clip_model.safetensors", path => WriteSafetensors(path, OpenClip())),
    };

    /// <summary>The authors' checkpoint of a graph prompt on towers of width 1280.</summary>
    public static void WritePrompt(string path) => WritePyTorch(path,
    [
        .. Enumerable.Range(0, 4).SelectMany(i => Linear($"image_decoder.fc.{i}", Joint, 1280)),
        .. Linear("adapter.linear1", Joint, Joint),
        ("aGNN.linear_e.weight", [Joint, Joint]),
        ("aGNN.gate.weight", [1, Joint, 1, 1]),
        .. Linear("aGNN.conv1", Joint, 2 * Joint, 3, 3),
        .. new[] { "reset_gate", "update_gate", "out_gate" }.SelectMany(gate => Linear($"aGNN.ConvGRU.{gate}", Joint, 2 * Joint, 1, 1)),
        .. Norm("aGNN.bn1", Joint),
        .. Linear("aGNN.conv_fusion", Joint, 3 * Joint, 3, 3),
        .. Linear("mmci.conv1", Joint, Joint, 1, 4),
        .. Linear("mmci.conv2", Joint, Joint, 4, 1),
        .. Linear("mmci.conv3", Joint, Joint, 2, 2),
        .. Linear("mmci.conv4", Joint, Joint, 3, 3),
    ]);

    private static IEnumerable<(string Name, long[] Shape)> ImageBind()
    {
        IEnumerable<(string, long[])> Trunk(string name, int depth, int width) => Enumerable.Range(0, depth).Select(i => $"modality_trunks.{name}.blocks.{i}").SelectMany(prefix => (IEnumerable<(string, long[])>)
        [
            ($"{prefix}.attn.in_proj_weight", [3 * width, width]), ($"{prefix}.attn.in_proj_bias", [3 * width]), .. Linear($"{prefix}.attn.out_proj", width, width),
            .. Norm($"{prefix}.norm_1", width), .. Linear($"{prefix}.mlp.fc1", 4 * width, width), .. Linear($"{prefix}.mlp.fc2", width, 4 * width), .. Norm($"{prefix}.norm_2", width),
        ]);
        return
        [
            ("modality_preprocessors.vision.cls_token", [1, 1, 1280]),
            ("modality_preprocessors.vision.rgbt_stem.proj.1.weight", [1280, 3, 2, 14, 14]),
            ("modality_preprocessors.vision.pos_embedding_helper.pos_embed", [1, 257, 1280]),
            ("modality_preprocessors.text.pos_embed", [1, 77, 1024]), ("modality_preprocessors.text.mask", [77, 77]), ("modality_preprocessors.text.token_embedding.weight", [49408, 1024]),
            .. Norm("modality_trunks.vision.pre_transformer_layer.0", 1280),
            .. Trunk("vision", 32, 1280), .. Trunk("text", 24, 1024), .. Trunk("audio", 12, 768), .. Trunk("depth", 12, 384), .. Trunk("thermal", 12, 768), .. Trunk("imu", 6, 512),
            .. Norm("modality_heads.vision.0", 1280), ("modality_heads.vision.2.weight", [Joint, 1280]),
            .. Norm("modality_heads.text.proj.0", 1024), ("modality_heads.text.proj.1.weight", [Joint, 1024]),
            ("modality_postprocessors.text.1.log_logit_scale", []),
        ];
    }

    private static IEnumerable<(string Name, long[] Shape)> OpenClip()
    {
        IEnumerable<(string, long[])> Trunk(string name, int depth, int width) => Enumerable.Range(0, depth).Select(i => $"{name}transformer.resblocks.{i}").SelectMany(prefix => (IEnumerable<(string, long[])>)
        [
            .. Norm($"{prefix}.ln_1", width), ($"{prefix}.attn.in_proj_weight", [3 * width, width]), ($"{prefix}.attn.in_proj_bias", [3 * width]), .. Linear($"{prefix}.attn.out_proj", width, width),
            .. Norm($"{prefix}.ln_2", width), .. Linear($"{prefix}.mlp.c_fc", 4 * width, width), .. Linear($"{prefix}.mlp.c_proj", width, 4 * width),
        ]);
        return
        [
            ("positional_embedding", [77, 1024]), ("text_projection", [1024, Joint]), ("logit_scale", []), ("token_embedding.weight", [49408, 1024]), .. Norm("ln_final", 1024), .. Trunk("", 24, 1024),
            ("visual.class_embedding", [1280]), ("visual.positional_embedding", [257, 1280]), ("visual.proj", [1280, Joint]), ("visual.conv1.weight", [1280, 3, 14, 14]),
            .. Norm("visual.ln_pre", 1280), .. Norm("visual.ln_post", 1280), .. Trunk("visual.", 32, 1280),
        ];
    }

    private static IEnumerable<(string, long[])> Linear(string name, params long[] shape) => [($"{name}.weight", shape), ($"{name}.bias", [shape[0]])];

    private static IEnumerable<(string, long[])> Norm(string name, long width) => [($"{name}.weight", [width]), ($"{name}.bias", [width])];

    /// <summary>Values that keep a deep network's activations near one.</summary>
    private static torch.Tensor Value((string Name, long[] Shape) entry, torch.Generator random)
    {
        var isNorm = entry.Name.Contains("norm", StringComparison.Ordinal) || entry.Name.Contains(".ln_", StringComparison.Ordinal) || entry.Name.StartsWith("ln_", StringComparison.Ordinal) || entry.Name.Contains("bn1", StringComparison.Ordinal);
        return entry.Shape.Length == 0 ? torch.tensor(2.6593f)
            : isNorm && entry.Name.EndsWith("weight", StringComparison.Ordinal) ? torch.ones(entry.Shape)
            : torch.randn(entry.Shape, generator: random).mul_(0.5f / MathF.Sqrt(Math.Max(1, entry.Shape.Skip(1).Aggregate(1L, (product, size) => product * size))));
    }

    private static void WriteSafetensors(string path, IEnumerable<(string Name, long[] Shape)> entries)
    {
        using var random = new torch.Generator(1);
        var ordered = entries.OrderBy(entry => entry.Name, StringComparer.Ordinal).ToArray();
        using var file = File.Create(path);
        file.Write(SafetensorsWriter.Header([.. ordered.Select(entry => new TensorInfo(entry.Name, torch.ScalarType.Float32, entry.Shape))], new Dictionary<string, string> { ["format"] = "pt" }));
        foreach (var entry in ordered)
        {
            using var scope = torch.NewDisposeScope();
            file.Write(Value(entry, random).bytes);
        }
    }

    private static void WritePyTorch(string path, IEnumerable<(string Name, long[] Shape)> entries)
    {
        using var random = new torch.Generator(1);
        var pickle = new PickleWriter().Op(0x80).Op(2).Empty().Mark();
        using var archive = ZipFile.Open(path, ZipArchiveMode.Create);
        var key = 0;
        foreach (var entry in entries)
        {
            using var scope = torch.NewDisposeScope();
            var value = Value(entry, random);
            pickle.Text(entry.Name).Tensor($"{key}", "FloatStorage", (int)value.numel(), 0, value.shape, value.stride());
            using var storage = archive.CreateEntry($"archive/data/{key++}", CompressionLevel.NoCompression).Open();
            storage.Write(value.bytes);
        }

        using var data = archive.CreateEntry("archive/data.pkl", CompressionLevel.NoCompression).Open();
        data.Write(pickle.Op('u').Op('.').ToArray());
    }
}
