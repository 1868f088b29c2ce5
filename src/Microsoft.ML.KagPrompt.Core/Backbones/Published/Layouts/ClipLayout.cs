using Microsoft.ML.KagPrompt.Backbones.Vit;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Backbones.Published.Layouts;

/// <summary>The names OpenAI gave CLIP's tensors and OpenCLIP kept.</summary>
internal static class ClipLayout
{
    /// <summary>Numbers that OpenAI's own files hold beside the weights, and OpenCLIP's do not.</summary>
    private static readonly string[] OpenAiMarks = ["input_resolution", "context_length", "vocab_size"];

    public static bool Matches(ITensorSource source) => source.Entries.ContainsKey("visual.class_embedding");

    public static BackboneLayout Read(ITensorSource source, LayoutHints hints)
    {
        var shapes = new CheckpointShapes(source, "CLIP");
        var (width, patch) = (shapes.Size("visual.conv1.weight", 0, 4), shapes.Size("visual.conv1.weight", 3, 4));
        var side = shapes.ImageSide(shapes.Size("visual.positional_embedding", 0, 2), patch);
        var isOpenAi = OpenAiMarks.Any(shapes.Has) || side == 336;
        var activation = hints.Activation ?? (isOpenAi ? Activation.QuickGelu : Activation.Gelu);
        var vision = new VisionTransformerConfig
        {
            Width = width,
            Depth = shapes.Count(i => $"visual.transformer.resblocks.{i}.ln_1.weight"),
            Heads = shapes.Heads(width, hints.VisionHeads, ClipSizes.UsualVisionHeads(width)),
            MlpWidth = shapes.Size("visual.transformer.resblocks.0.mlp.c_fc.weight", 0, 2),
            PatchSize = patch,
            ImageSize = side,
            JointWidth = shapes.Size("visual.proj", 1, 2),
            Activation = activation,
            Epsilon = ClipSizes.Epsilon,
            Resampling = PositionResampling.BicubicAntialias,
        };
        var textWidth = shapes.Size("token_embedding.weight", 1, 2);
        var text = new TextTransformerConfig
        {
            Width = textWidth,
            Depth = shapes.Count(i => $"transformer.resblocks.{i}.ln_1.weight"),
            Heads = shapes.Heads(textWidth, hints.TextHeads, ClipSizes.UsualTextHeads(textWidth)),
            MlpWidth = shapes.Size("transformer.resblocks.0.mlp.c_fc.weight", 0, 2),
            ContextLength = shapes.Size("positional_embedding", 0, 2),
            VocabularySize = shapes.Size("token_embedding.weight", 0, 2),
            JointWidth = shapes.Size("text_projection", 1, 2),
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
            Skipped =
            [
                ("numbers OpenAI's files hold beside the weights", OpenAiMarks.Contains),
                ("the text tower's causal mask", other => other == "attn_mask")
            ],
        };
    }

    private static WeightRule VisionRule(string name, long[] shape) => name switch
    {
        "stem.weight" => new(name, shape, ("visual.conv1.weight", shape)),
        "class_token" => new(name, shape, ("visual.class_embedding", shape)),
        "positions" => new(name, shape, ("visual.positional_embedding", shape)),
        "norm_pre.weight" or "norm_pre.bias" => new(name, shape, ("visual.ln_pre" + name["norm_pre".Length..], shape)),
        "norm.weight" or "norm.bias" => new(name, shape, ("visual.ln_post" + name["norm".Length..], shape)),
        "head.weight" => new(name, shape, ("visual.proj", [shape[1], shape[0]])) { Convert = projection => projection.t() },
        _ => new(name, shape, ("visual.transformer." + BlockName(name), shape)),
    };

    private static WeightRule TextRule(string name, long[] shape) => name switch
    {
        "tokens" => new(name, shape, ("token_embedding.weight", shape)),
        "positions" => new(name, shape, ("positional_embedding", shape)),
        "norm.weight" or "norm.bias" => new(name, shape, ("ln_final" + name["norm".Length..], shape)),
        "head.weight" => new(name, shape, ("text_projection", [shape[1], shape[0]])) { Convert = projection => projection.t() },
        "log_scale" => new(name, shape, ("logit_scale", shape)),
        _ => new(name, shape, ("transformer." + BlockName(name), shape)),
    };

    /// <summary>"blocks.3.qkv.weight" as CLIP spells it.</summary>
    private static string BlockName(string name) => name
        .Replace("blocks.", "resblocks.", StringComparison.Ordinal)
        .Replace("norm1", "ln_1", StringComparison.Ordinal).Replace("norm2", "ln_2", StringComparison.Ordinal)
        .Replace("qkv.", "attn.in_proj_", StringComparison.Ordinal).Replace(".out.", ".attn.out_proj.", StringComparison.Ordinal)
        .Replace(".fc1", ".mlp.c_fc", StringComparison.Ordinal).Replace(".fc2", ".mlp.c_proj", StringComparison.Ordinal);
}
