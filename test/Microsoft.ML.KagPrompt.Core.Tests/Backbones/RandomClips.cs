using TorchSharp;
using static Microsoft.ML.KagPrompt.Tests.Backbones.RandomCheckpoint;

namespace Microsoft.ML.KagPrompt.Tests.Backbones;

/// <summary>Random weights under the names of ImageBind and of CLIP's publishers, written down apart from the loader's.</summary>
internal static class RandomClips
{
    public static (NaiveVision Vision, Func<long[], double[]> Text) ImageBind(RandomCheckpoint file)
    {
        NaiveBlock Block(string tower, int i, int width, bool causal)
        {
            var prefix = $"modality_trunks.{tower}.blocks.{i}";
            var (query, key, value) = file.Joined($"{prefix}.attn.in_proj_weight", $"{prefix}.attn.in_proj_bias", width);
            return new(file.Norm($"{prefix}.norm_1", width, 1e-6), query, key, value,
                file.Linear($"{prefix}.attn.out_proj", width, width), file.Norm($"{prefix}.norm_2", width, 1e-6),
                file.Linear($"{prefix}.mlp.fc1", Mlp, width), file.Linear($"{prefix}.mlp.fc2", width, Mlp))
            { Heads = Heads, Activation = "gelu", Causal = causal };
        }

        const string Stem = "modality_preprocessors.vision";
        var frames = file.New($"{Stem}.rgbt_stem.proj.1.weight", Width, 3, 2, Patch, Patch);
        var area = Patch * Patch;
        var kernel = Enumerable.Range(0, Width * 3 * area)
            .Select(k => frames[(k / area * 2 * area) + (k % area)] + frames[(k / area * 2 * area) + area + (k % area)]).ToArray();
        var vision = new NaiveVision(kernel, null, file.New($"{Stem}.cls_token", 1, 1, Width),
            file.New($"{Stem}.pos_embedding_helper.pos_embed", 1, 1 + (Side * Side), Width),
            [.. Enumerable.Range(0, Depth).Select(i => Block("vision", i, Width, false))],
            file.Norm("modality_heads.vision.0", Width, 1e-6))
        {
            Patch = Patch,
            NormBefore = file.Norm("modality_trunks.vision.pre_transformer_layer.0", Width, 1e-6),
            Head = new(file.New("modality_heads.vision.2.weight", Joint, Width), null),
        };
        file.New("modality_trunks.audio.blocks.0.norm_1.weight", 8);
        file.New("modality_preprocessors.depth.cls_token", 1, 1, 8);
        file.New("modality_heads.imu.0.weight", 8);
        file.New("modality_postprocessors.thermal.1.log_logit_scale");
        file.New("modality_preprocessors.text.mask", Context, Context);
        return (vision, Text(file, "modality_preprocessors.text.token_embedding.weight",
            () => file.New("modality_preprocessors.text.pos_embed", 1, Context, TextWidth),
            i => Block("text", i, TextWidth, true), () => file.Norm("modality_heads.text.proj.0", TextWidth, 1e-6),
            () => new(file.New("modality_heads.text.proj.1.weight", Joint, TextWidth), null),
            "modality_postprocessors.text.1.log_logit_scale"));
    }

    /// <summary>As OpenCLIP names them; OpenAI's own file, with the quick activation, adds three sizes.</summary>
    public static (NaiveVision Vision, Func<long[], double[]> Text) Clip(RandomCheckpoint file, string activation)
    {
        NaiveBlock Block(string tower, int i, int width, bool causal)
        {
            var prefix = $"{tower}transformer.resblocks.{i}";
            var (query, key, value) = file.Joined($"{prefix}.attn.in_proj_weight", $"{prefix}.attn.in_proj_bias", width);
            return new(file.Norm($"{prefix}.ln_1", width, 1e-5), query, key, value,
                file.Linear($"{prefix}.attn.out_proj", width, width), file.Norm($"{prefix}.ln_2", width, 1e-5),
                file.Linear($"{prefix}.mlp.c_fc", Mlp, width), file.Linear($"{prefix}.mlp.c_proj", width, Mlp))
            { Heads = Heads, Activation = activation, Causal = causal };
        }

        var vision = new NaiveVision(file.New("visual.conv1.weight", Width, 3, Patch, Patch), null,
            file.New("visual.class_embedding", Width), file.New("visual.positional_embedding", 1 + (Side * Side), Width),
            [.. Enumerable.Range(0, Depth).Select(i => Block("visual.", i, Width, false))], file.Norm("visual.ln_post", Width, 1e-5))
        {
            Patch = Patch,
            NormBefore = file.Norm("visual.ln_pre", Width, 1e-5),
            Head = new(Transposed(file.New("visual.proj", Width, Joint), Width, Joint), null),
            Resampling = NaiveVision.Antialiased,
        };
        if (activation == "quick")
        {
            file.New("input_resolution");
            file.New("context_length");
            file.New("vocab_size");
        }

        return (vision, Text(file, "token_embedding.weight", () => file.New("positional_embedding", Context, TextWidth),
            i => Block("", i, TextWidth, true), () => file.Norm("ln_final", TextWidth, 1e-5),
            () => new(Transposed(file.New("text_projection", TextWidth, Joint), TextWidth, Joint), null), "logit_scale"));
    }

    public static (NaiveVision Vision, Func<long[], double[]> Text) HuggingFaceClip(RandomCheckpoint file)
    {
        NaiveBlock Block(string tower, int i, int width, bool causal)
        {
            var prefix = $"{tower}.encoder.layers.{i}";
            return new(file.Norm($"{prefix}.layer_norm1", width, 1e-5),
                file.Linear($"{prefix}.self_attn.q_proj", width, width), file.Linear($"{prefix}.self_attn.k_proj", width, width),
                file.Linear($"{prefix}.self_attn.v_proj", width, width), file.Linear($"{prefix}.self_attn.out_proj", width, width),
                file.Norm($"{prefix}.layer_norm2", width, 1e-5),
                file.Linear($"{prefix}.mlp.fc1", Mlp, width), file.Linear($"{prefix}.mlp.fc2", width, Mlp))
            { Heads = Heads, Activation = "quick", Causal = causal };
        }

        const string Stem = "vision_model.embeddings";
        var vision = new NaiveVision(file.New($"{Stem}.patch_embedding.weight", Width, 3, Patch, Patch), null,
            file.New($"{Stem}.class_embedding", Width), file.New($"{Stem}.position_embedding.weight", 1 + (Side * Side), Width),
            [.. Enumerable.Range(0, Depth).Select(i => Block("vision_model", i, Width, false))],
            file.Norm("vision_model.post_layernorm", Width, 1e-5))
        {
            Patch = Patch,
            NormBefore = file.Norm("vision_model.pre_layrnorm", Width, 1e-5),
            Head = new(file.New("visual_projection.weight", Joint, Width), null),
        };
        file.Tensors.Add($"{Stem}.position_ids", torch.arange(1 + (Side * Side)).unsqueeze(0));
        return (vision, Text(file, "text_model.embeddings.token_embedding.weight",
            () => file.New("text_model.embeddings.position_embedding.weight", Context, TextWidth),
            i => Block("text_model", i, TextWidth, true), () => file.Norm("text_model.final_layer_norm", TextWidth, 1e-5),
            () => new(file.New("text_projection.weight", Joint, TextWidth), null), "logit_scale"));
    }

    private static Func<long[], double[]> Text(RandomCheckpoint file, string tokenName, Func<double[]> newPositions,
        Func<int, NaiveBlock> newBlock, Func<NaiveNorm> newNorm, Func<NaiveLinear> newHead, string scaleName)
    {
        var (table, positions) = (file.New(tokenName, Vocabulary, TextWidth), newPositions());
        var blocks = Enumerable.Range(0, TextDepth).Select(newBlock).ToArray();
        var (norm, head, scale) = (newNorm(), newHead(), file.New(scaleName)[0]);
        return tokens =>
        {
            var state = tokens.Select((token, t) => Enumerable.Range(0, TextWidth)
                .Select(c => table[(token * TextWidth) + c] + positions[(t * TextWidth) + c]).ToArray()).ToArray();
            foreach (var block in blocks)
            {
                state = block.Apply(state);
            }

            var end = Array.IndexOf(tokens, tokens.Max());
            return [.. NaiveVision.Unit(head.Apply(norm.Apply(state[end]))).Select(value => value * Math.Min(Math.Exp(scale), 100))];
        };
    }
}
