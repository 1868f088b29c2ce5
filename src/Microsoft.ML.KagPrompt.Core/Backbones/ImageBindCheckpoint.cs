using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt.Backbones;

/// <summary>ImageBind's published names for its vision and text towers; sizes are read off the shapes.</summary>
internal static class ImageBindCheckpoint
{
    private const string VisionPre = "modality_preprocessors.vision.";
    private const string TextPre = "modality_preprocessors.text.";

    /// <summary>Reads both towers. Heads cannot be seen in the shapes: ImageBind-Huge has 16 in each.</summary>
    public static (VisionTransformer Vision, TextTransformer Text) Read(ITensorSource source, int visionHeads = 16, int textHeads = 16)
    {
        if (!source.Entries.ContainsKey(VisionPre + "cls_token"))
        {
            throw new CheckpointMismatchException($"{source.Origin} is not an ImageBind checkpoint: expected '{VisionPre}cls_token', got {source.Entries.Count} other names.");
        }

        var vision = ReadVision(source, visionHeads);
        try
        {
            return (vision, ReadText(source, textHeads));
        }
        catch
        {
            vision.Dispose();
            throw;
        }
    }

    private static VisionTransformer ReadVision(ITensorSource source, int heads)
    {
        var stem = Shape(source, VisionPre + "rgbt_stem.proj.1.weight");            // [D, 3, 2, p, p]
        var positions = Shape(source, VisionPre + "pos_embedding_helper.pos_embed");  // [1, 1 + L, D]
        var config = new VisionTransformerConfig
        {
            Width = (int)stem[0],
            Depth = Depth(source, "modality_trunks.vision.blocks."),
            Heads = heads,
            MlpWidth = (int)Shape(source, "modality_trunks.vision.blocks.0.mlp.fc1.weight")[0],
            PatchSize = (int)stem[^1],
            ImageSize = (int)Math.Round(Math.Sqrt(positions[1] - 1)) * (int)stem[^1],
            JointWidth = (int)Shape(source, "modality_heads.vision.2.weight")[0],
        };
        using var renamed = new RenamedTensors(source, name => name switch
        {
            "stem.weight" => VisionPre + "rgbt_stem.proj.1.weight",
            "class_token" => VisionPre + "cls_token",
            "positions" => VisionPre + "pos_embedding_helper.pos_embed",
            "norm_pre.weight" or "norm_pre.bias" => "modality_trunks.vision.pre_transformer_layer.0" + name["norm_pre".Length..],
            "norm.weight" or "norm.bias" => "modality_heads.vision.0" + name["norm".Length..],
            "head.weight" => "modality_heads.vision.2.weight",
            _ => "modality_trunks.vision." + BlockName(name),
        }, VisionTransformer.Shapes(config));
        return new VisionTransformer(config, WeightSet.Read(VisionTransformer.Shapes(config), renamed));
    }

    private static TextTransformer ReadText(ITensorSource source, int heads)
    {
        var tokens = Shape(source, TextPre + "token_embedding.weight");
        var config = new TextTransformerConfig
        {
            Width = (int)tokens[1],
            Depth = Depth(source, "modality_trunks.text.blocks."),
            Heads = heads,
            MlpWidth = (int)Shape(source, "modality_trunks.text.blocks.0.mlp.fc1.weight")[0],
            ContextLength = (int)Shape(source, TextPre + "pos_embed")[^2],
            VocabularySize = (int)tokens[0],
            JointWidth = (int)Shape(source, "modality_heads.text.proj.1.weight")[0],
        };
        using var renamed = new RenamedTensors(source, name => name switch
        {
            "tokens" => TextPre + "token_embedding.weight",
            "positions" => TextPre + "pos_embed",
            "norm.weight" or "norm.bias" => "modality_heads.text.proj.0" + name["norm".Length..],
            "head.weight" => "modality_heads.text.proj.1.weight",
            "log_scale" => "modality_postprocessors.text.1.log_logit_scale",
            _ => "modality_trunks.text." + BlockName(name),
        }, TextTransformer.Shapes(config));
        return new TextTransformer(config, WeightSet.Read(TextTransformer.Shapes(config), renamed));
    }

    /// <summary>"blocks.3.qkv.weight" as ImageBind spells it.</summary>
    private static string BlockName(string name) => name
        .Replace("norm1", "norm_1", StringComparison.Ordinal).Replace("norm2", "norm_2", StringComparison.Ordinal)
        .Replace("qkv.", "attn.in_proj_", StringComparison.Ordinal).Replace(".out.", ".attn.out_proj.", StringComparison.Ordinal)
        .Replace(".fc", ".mlp.fc", StringComparison.Ordinal);

    private static IReadOnlyList<long> Shape(ITensorSource source, string name) => source.Entries.TryGetValue(name, out var info) && info.Shape.Count >= 2 ? info.Shape
        : throw new CheckpointMismatchException($"{source.Origin} is not an ImageBind checkpoint: expected '{name}' with two sizes or more.");

    private static int Depth(ITensorSource source, string prefix)
        => Enumerable.Range(0, 1024).TakeWhile(i => source.Entries.ContainsKey($"{prefix}{i}.norm_1.weight")).Count();
}
