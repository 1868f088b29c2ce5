using Microsoft.ML.KagPrompt.Backbones.Vit;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Backbones.Published.Layouts;

/// <summary>ImageBind's names: vision and text towers among its other modalities.</summary>
internal static class ImageBindLayout
{
    private const string VisionPre = "modality_preprocessors.vision.";
    private const string TextPre = "modality_preprocessors.text.";
    private static readonly string[] Others = ["audio", "depth", "thermal", "imu"];

    public static bool Matches(ITensorSource source) => source.Entries.ContainsKey(VisionPre + "cls_token");

    public static BackboneLayout Read(ITensorSource source, LayoutHints hints)
    {
        var shapes = new CheckpointShapes(source, "ImageBind");
        var (vision, text) = (Vision(shapes, hints), Text(shapes, hints));
        return new BackboneLayout
        {
            Name = (vision.Width, vision.Depth, text.Width, text.Depth) is (1280, 32, 1024, 24)
                ? "imagebind-huge"
                : $"imagebind-{vision.Width}x{vision.Depth}",
            Family = "ImageBind",
            Licence = "CC BY-NC-SA 4.0: no commercial use",
            Vision = vision,
            Text = text,
            VisionRules = [.. VisionTransformer.Shapes(vision).Select(entry => VisionRule(entry.Key, entry.Value, vision))],
            TextRules = [.. TextTransformer.Shapes(text).Select(entry => TextRule(entry.Key, entry.Value))],
            Skipped =
            [
                ("ImageBind's other modalities", name => Others.Any(other => name.StartsWith("modality_", StringComparison.Ordinal)
                    && name.Contains($".{other}.", StringComparison.Ordinal))),
                ("the text tower's causal mask", name => name == TextPre + "mask"),
            ],
        };
    }

    private static VisionTransformerConfig Vision(CheckpointShapes shapes, LayoutHints hints)
    {
        var (width, patch) = (shapes.Size(VisionPre + "rgbt_stem.proj.1.weight", 0, 5),
            shapes.Size(VisionPre + "rgbt_stem.proj.1.weight", 4, 5));
        return new VisionTransformerConfig
        {
            Width = width,
            Depth = shapes.Count(i => $"modality_trunks.vision.blocks.{i}.norm_1.weight"),
            Heads = shapes.Heads(width, hints.VisionHeads, 16),
            MlpWidth = shapes.Size("modality_trunks.vision.blocks.0.mlp.fc1.weight", 0, 2),
            PatchSize = patch,
            ImageSize = shapes.ImageSide(shapes.Size(VisionPre + "pos_embedding_helper.pos_embed", 1, 3), patch),
            JointWidth = shapes.Size("modality_heads.vision.2.weight", 0, 2),
            Activation = hints.Activation ?? Activation.Gelu,
        };
    }

    private static TextTransformerConfig Text(CheckpointShapes shapes, LayoutHints hints)
    {
        var width = shapes.Size(TextPre + "token_embedding.weight", 1, 2);
        return new TextTransformerConfig
        {
            Width = width,
            Depth = shapes.Count(i => $"modality_trunks.text.blocks.{i}.norm_1.weight"),
            Heads = shapes.Heads(width, hints.TextHeads, 16),
            MlpWidth = shapes.Size("modality_trunks.text.blocks.0.mlp.fc1.weight", 0, 2),
            ContextLength = shapes.Size(TextPre + "pos_embed", 1, 3),
            VocabularySize = shapes.Size(TextPre + "token_embedding.weight", 0, 2),
            JointWidth = shapes.Size("modality_heads.text.proj.1.weight", 0, 2),
            Activation = hints.Activation ?? Activation.Gelu,
        };
    }

    private static WeightRule VisionRule(string name, long[] shape, VisionTransformerConfig config) => name switch
    {
        // A still image fills both frames, so the kernels of the two can be summed once and for all.
        "stem.weight"
            => new(name, shape, (VisionPre + "rgbt_stem.proj.1.weight", [shape[0], 3, 2, config.PatchSize, config.PatchSize]))
            {
                Convert = kernel => kernel.sum(2)
            },
        "class_token" => new(name, shape, (VisionPre + "cls_token", [1, 1, .. shape])),
        "positions" => new(name, shape, (VisionPre + "pos_embedding_helper.pos_embed", [1, .. shape])),
        "norm_pre.weight" or "norm_pre.bias"
            => new(name, shape, ("modality_trunks.vision.pre_transformer_layer.0" + name["norm_pre".Length..], shape)),
        "norm.weight" or "norm.bias" => new(name, shape, ("modality_heads.vision.0" + name["norm".Length..], shape)),
        "head.weight" => new(name, shape, ("modality_heads.vision.2.weight", shape)),
        _ => new(name, shape, ("modality_trunks.vision." + BlockName(name), shape)),
    };

    private static WeightRule TextRule(string name, long[] shape) => name switch
    {
        "tokens" => new(name, shape, (TextPre + "token_embedding.weight", shape)),
        "positions" => new(name, shape, (TextPre + "pos_embed", [1, .. shape])),
        "norm.weight" or "norm.bias" => new(name, shape, ("modality_heads.text.proj.0" + name["norm".Length..], shape)),
        "head.weight" => new(name, shape, ("modality_heads.text.proj.1.weight", shape)),
        "log_scale" => new(name, shape, ("modality_postprocessors.text.1.log_logit_scale", shape)),
        _ => new(name, shape, ("modality_trunks.text." + BlockName(name), shape)),
    };

    /// <summary>"blocks.3.qkv.weight" as ImageBind spells it.</summary>
    private static string BlockName(string name) => name
        .Replace("norm1", "norm_1", StringComparison.Ordinal).Replace("norm2", "norm_2", StringComparison.Ordinal)
        .Replace("qkv.", "attn.in_proj_", StringComparison.Ordinal).Replace(".out.", ".attn.out_proj.", StringComparison.Ordinal)
        .Replace(".fc", ".mlp.fc", StringComparison.Ordinal);
}
