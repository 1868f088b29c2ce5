using Microsoft.ML.KagPrompt.Backbones.Vit;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Backbones.Published.Layouts;

/// <summary>The names Hugging Face's transformers give CLIP's tensors, OpenAI's and LAION's alike.</summary>
internal static class HuggingFaceClipLayout
{
    private const string VisionPart = "vision_model.";
    private const string TextPart = "text_model.";

    public static bool Matches(ITensorSource source) => source.Entries.ContainsKey(VisionPart + "embeddings.class_embedding");

    public static BackboneLayout Read(ITensorSource source, LayoutHints hints)
    {
        var shapes = new CheckpointShapes(source, "CLIP");
        var (width, patch) = (shapes.Size(VisionPart + "embeddings.patch_embedding.weight", 0, 4),
            shapes.Size(VisionPart + "embeddings.patch_embedding.weight", 3, 4));
        // The format's own default is OpenAI's activation; only LAION published ViT-H/14. A config.json beside the file says which.
        var activation = hints.Activation ?? (width == 1280 ? Activation.Gelu : Activation.QuickGelu);
        var vision = new VisionTransformerConfig
        {
            Width = width,
            Depth = shapes.Count(i => $"{VisionPart}encoder.layers.{i}.layer_norm1.weight"),
            Heads = shapes.Heads(width, hints.VisionHeads, ClipSizes.UsualVisionHeads(width)),
            MlpWidth = shapes.Size(VisionPart + "encoder.layers.0.mlp.fc1.weight", 0, 2),
            PatchSize = patch,
            ImageSize = shapes.ImageSide(shapes.Size(VisionPart + "embeddings.position_embedding.weight", 0, 2), patch),
            JointWidth = shapes.Size("visual_projection.weight", 0, 2),
            Activation = activation,
            Epsilon = ClipSizes.Epsilon,
        };
        var textWidth = shapes.Size(TextPart + "embeddings.token_embedding.weight", 1, 2);
        var text = new TextTransformerConfig
        {
            Width = textWidth,
            Depth = shapes.Count(i => $"{TextPart}encoder.layers.{i}.layer_norm1.weight"),
            Heads = shapes.Heads(textWidth, hints.TextHeads, ClipSizes.UsualTextHeads(textWidth)),
            MlpWidth = shapes.Size(TextPart + "encoder.layers.0.mlp.fc1.weight", 0, 2),
            ContextLength = shapes.Size(TextPart + "embeddings.position_embedding.weight", 0, 2),
            VocabularySize = shapes.Size(TextPart + "embeddings.token_embedding.weight", 0, 2),
            JointWidth = shapes.Size("text_projection.weight", 0, 2),
            Activation = activation,
            Epsilon = ClipSizes.Epsilon,
        };
        var (name, family, licence) = ClipSizes.Describe(vision);
        return new BackboneLayout
        {
            Name = name,
            Family = family,
            Licence = licence,
            Vision = vision,
            Text = text,
            VisionRules = [.. VisionTransformer.Shapes(vision).Select(entry => VisionRule(entry.Key, entry.Value))],
            TextRules = [.. TextTransformer.Shapes(text).Select(entry => TextRule(entry.Key, entry.Value))],
            Skipped = [("position numbers of older files",
                other => other is VisionPart + "embeddings.position_ids" or TextPart + "embeddings.position_ids")],
        };
    }

    private static WeightRule VisionRule(string name, long[] shape) => name switch
    {
        "stem.weight" => new(name, shape, (VisionPart + "embeddings.patch_embedding.weight", shape)),
        "class_token" => new(name, shape, (VisionPart + "embeddings.class_embedding", shape)),
        "positions" => new(name, shape, (VisionPart + "embeddings.position_embedding.weight", shape)),
        // Spelt so there.
        "norm_pre.weight" or "norm_pre.bias" => new(name, shape, (VisionPart + "pre_layrnorm" + name["norm_pre".Length..], shape)),
        "norm.weight" or "norm.bias" => new(name, shape, (VisionPart + "post_layernorm" + name["norm".Length..], shape)),
        "head.weight" => new(name, shape, ("visual_projection.weight", shape)),
        _ => BlockRule(VisionPart, name, shape),
    };

    private static WeightRule TextRule(string name, long[] shape) => name switch
    {
        "tokens" => new(name, shape, (TextPart + "embeddings.token_embedding.weight", shape)),
        "positions" => new(name, shape, (TextPart + "embeddings.position_embedding.weight", shape)),
        "norm.weight" or "norm.bias" => new(name, shape, (TextPart + "final_layer_norm" + name["norm".Length..], shape)),
        "head.weight" => new(name, shape, ("text_projection.weight", shape)),
        "log_scale" => new(name, shape, ("logit_scale", shape)),
        _ => BlockRule(TextPart, name, shape),
    };

    private static WeightRule BlockRule(string tower, string name, long[] shape)
    {
        var there = tower + "encoder.layers." + name["blocks.".Length..];
        if (!name.Contains(".qkv.", StringComparison.Ordinal))
        {
            return new(name, shape, (there.Replace("norm1", "layer_norm1", StringComparison.Ordinal)
                .Replace("norm2", "layer_norm2", StringComparison.Ordinal)
                .Replace(".out.", ".self_attn.out_proj.", StringComparison.Ordinal)
                .Replace(".fc", ".mlp.fc", StringComparison.Ordinal), shape));
        }

        long[] third = [shape[0] / 3, .. shape[1..]];
        return new(name, shape, [.. new[] { "q", "k", "v" }
            .Select(part => (there.Replace(".qkv.", $".self_attn.{part}_proj.", StringComparison.Ordinal), third))]);
    }
}
