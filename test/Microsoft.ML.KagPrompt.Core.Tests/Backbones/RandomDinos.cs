using static Microsoft.ML.KagPrompt.Tests.Backbones.RandomCheckpoint;

namespace Microsoft.ML.KagPrompt.Tests.Backbones;

/// <summary>Random weights under the names of DINOv2's publishers, written down apart from the loader's.</summary>
internal static class RandomDinos
{
    public static NaiveVision DinoV2(RandomCheckpoint file, int registers, bool swiglu)
    {
        NaiveBlock Block(int i)
        {
            var prefix = $"blocks.{i}";
            var (query, key, value) = file.Joined($"{prefix}.attn.qkv.weight", $"{prefix}.attn.qkv.bias", Width);
            return new(file.Norm($"{prefix}.norm1", Width, 1e-6), query, key, value,
                file.Linear($"{prefix}.attn.proj", Width, Width), file.Norm($"{prefix}.norm2", Width, 1e-6),
                swiglu ? file.Linear($"{prefix}.mlp.w12", 2 * Mlp, Width) : file.Linear($"{prefix}.mlp.fc1", Mlp, Width),
                swiglu ? file.Linear($"{prefix}.mlp.w3", Width, Mlp) : file.Linear($"{prefix}.mlp.fc2", Width, Mlp))
            {
                Heads = Heads,
                Activation = swiglu ? "swiglu" : "gelu",
                Scale1 = file.New($"{prefix}.ls1.gamma", Width),
                Scale2 = file.New($"{prefix}.ls2.gamma", Width),
            };
        }

        file.New("mask_token", 1, Width);
        return new NaiveVision(file.New("patch_embed.proj.weight", Width, 3, Patch, Patch), file.New("patch_embed.proj.bias", Width),
            file.New("cls_token", 1, 1, Width), file.New("pos_embed", 1, 1 + (Side * Side), Width),
            [.. Enumerable.Range(0, Depth).Select(Block)], file.Norm("norm", Width, 1e-6))
        {
            Patch = Patch,
            Registers = registers == 0 ? [] : Rows(file.New("register_tokens", 1, registers, Width)),
            Resampling = registers == 0 ? NaiveVision.Offset : NaiveVision.Antialiased,
        };
    }

    public static NaiveVision HuggingFaceDinoV2(RandomCheckpoint file, int registers, bool swiglu)
    {
        NaiveBlock Block(int i)
        {
            var prefix = $"encoder.layer.{i}";
            var attention = $"{prefix}.attention.attention";
            return new(file.Norm($"{prefix}.norm1", Width, 1e-6), file.Linear($"{attention}.query", Width, Width),
                file.Linear($"{attention}.key", Width, Width), file.Linear($"{attention}.value", Width, Width),
                file.Linear($"{prefix}.attention.output.dense", Width, Width), file.Norm($"{prefix}.norm2", Width, 1e-6),
                swiglu ? file.Linear($"{prefix}.mlp.weights_in", 2 * Mlp, Width) : file.Linear($"{prefix}.mlp.fc1", Mlp, Width),
                swiglu ? file.Linear($"{prefix}.mlp.weights_out", Width, Mlp) : file.Linear($"{prefix}.mlp.fc2", Width, Mlp))
            {
                Heads = Heads,
                Activation = swiglu ? "swiglu" : "gelu",
                Scale1 = file.New($"{prefix}.layer_scale1.lambda1", Width),
                Scale2 = file.New($"{prefix}.layer_scale2.lambda1", Width),
            };
        }

        file.New("embeddings.mask_token", 1, Width);
        return new NaiveVision(file.New("embeddings.patch_embeddings.projection.weight", Width, 3, Patch, Patch),
            file.New("embeddings.patch_embeddings.projection.bias", Width), file.New("embeddings.cls_token", 1, 1, Width),
            file.New("embeddings.position_embeddings", 1, 1 + (Side * Side), Width),
            [.. Enumerable.Range(0, Depth).Select(Block)], file.Norm("layernorm", Width, 1e-6))
        {
            Patch = Patch,
            Registers = registers == 0 ? [] : Rows(file.New("embeddings.register_tokens", 1, registers, Width)),
            Resampling = registers == 0 ? NaiveVision.Offset : NaiveVision.Antialiased,
        };
    }

    private static double[][] Rows(double[] values) => [.. values.Chunk(Width)];
}
