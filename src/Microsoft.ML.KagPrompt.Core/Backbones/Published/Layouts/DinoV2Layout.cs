using Microsoft.ML.KagPrompt.Backbones.Vit;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Backbones.Published.Layouts;

/// <summary>
/// DINOv2 under its authors' names and under Hugging Face's: no text side, LayerScale, with or without registers, SwiGLU in the largest.
/// </summary>
internal static class DinoV2Layout
{
    private const int HeadWidth = 64;
    private const string HubPatch = "patch_embed.proj.weight";
    private const string HuggingFacePatch = "embeddings.patch_embeddings.projection.weight";

    public static bool Matches(ITensorSource source)
        => source.Entries.ContainsKey("blocks.0.ls1.gamma") || source.Entries.ContainsKey("encoder.layer.0.layer_scale1.lambda1");

    public static BackboneLayout Read(ITensorSource source, LayoutHints hints)
    {
        var shapes = new CheckpointShapes(source, "DINOv2");
        var hub = shapes.Has(HubPatch);
        var stem = hub ? HubPatch : HuggingFacePatch;
        var registers = hub ? "register_tokens" : "embeddings.register_tokens";
        var gated = shapes.Has(hub ? "blocks.0.mlp.w12.weight" : "encoder.layer.0.mlp.weights_in.weight");
        var (width, patch) = (shapes.Size(stem, 0, 4), shapes.Size(stem, 3, 4));
        var registerCount = shapes.Has(registers) ? shapes.Size(registers, 1, 3) : 0;
        var vision = new VisionTransformerConfig
        {
            Width = width,
            Depth = shapes.Count(i => hub ? $"blocks.{i}.norm1.weight" : $"encoder.layer.{i}.norm1.weight"),
            Heads = shapes.Heads(width, hints.VisionHeads, Math.Max(1, width / HeadWidth)),
            MlpWidth = (hub, gated) switch
            {
                (true, false) => shapes.Size("blocks.0.mlp.fc2.weight", 1, 2),
                (true, true) => shapes.Size("blocks.0.mlp.w3.weight", 1, 2),
                (false, false) => shapes.Size("encoder.layer.0.mlp.fc2.weight", 1, 2),
                (false, true) => shapes.Size("encoder.layer.0.mlp.weights_out.weight", 1, 2),
            },
            PatchSize = patch,
            ImageSize = shapes.ImageSide(shapes.Size(hub ? "pos_embed" : "embeddings.position_embeddings", 1, 3), patch),
            JointWidth = width,
            Activation = gated ? Activation.SwiGlu : Activation.Gelu,
            NormBeforeTrunk = false,
            StemBias = true,
            LayerScale = true,
            Registers = registerCount,
            Head = false,
            Resampling = registerCount > 0 ? PositionResampling.BicubicAntialias : PositionResampling.BicubicOffset,
            Mean = VisionTransformerConfig.ImageNetMean,
            Std = VisionTransformerConfig.ImageNetStd,
        };
        var size = (width, vision.Depth) switch
        {
            (384, 12) => "vit-s-14",
            (768, 12) => "vit-b-14",
            (1024, 24) => "vit-l-14",
            (1536, 40) => "vit-g-14",
            _ => $"vit-{width}x{vision.Depth}"
        };
        return new BackboneLayout
        {
            Name = $"dinov2-{size}{(registerCount > 0 ? "-reg" : "")}",
            Family = "DINOv2",
            Licence = "Apache-2.0",
            Vision = vision,
            VisionRules = [.. VisionTransformer.Shapes(vision)
                .Select(entry => hub ? HubRule(entry.Key, entry.Value, gated) : HuggingFaceRule(entry.Key, entry.Value, gated))],
            Skipped = [("the token that hid patches in pretraining", name => name is "mask_token" or "embeddings.mask_token")],
        };
    }

    private static WeightRule HubRule(string name, long[] shape, bool gated) => name switch
    {
        "stem.weight" or "stem.bias" => new(name, shape, ("patch_embed.proj" + name["stem".Length..], shape)),
        "class_token" => new(name, shape, ("cls_token", [1, 1, .. shape])),
        "positions" => new(name, shape, ("pos_embed", [1, .. shape])),
        "registers" => new(name, shape, ("register_tokens", [1, .. shape])),
        "norm.weight" or "norm.bias" => new(name, shape, (name, shape)),
        _ => new(name, shape, (name.Replace("qkv.", "attn.qkv.", StringComparison.Ordinal)
            .Replace(".out.", ".attn.proj.", StringComparison.Ordinal)
            .Replace(".fc1.", gated ? ".mlp.w12." : ".mlp.fc1.", StringComparison.Ordinal)
            .Replace(".fc2.", gated ? ".mlp.w3." : ".mlp.fc2.", StringComparison.Ordinal)
            .Replace("scale1", "ls1.gamma", StringComparison.Ordinal).Replace("scale2", "ls2.gamma", StringComparison.Ordinal), shape)),
    };

    private static WeightRule HuggingFaceRule(string name, long[] shape, bool gated)
    {
        switch (name)
        {
            case "stem.weight" or "stem.bias":
                return new(name, shape, ("embeddings.patch_embeddings.projection" + name["stem".Length..], shape));
            case "class_token":
                return new(name, shape, ("embeddings.cls_token", [1, 1, .. shape]));
            case "positions":
                return new(name, shape, ("embeddings.position_embeddings", [1, .. shape]));
            case "registers":
                return new(name, shape, ("embeddings.register_tokens", [1, .. shape]));
            case "norm.weight" or "norm.bias":
                return new(name, shape, ("layernorm" + name["norm".Length..], shape));
        }

        var there = "encoder.layer." + name["blocks.".Length..];
        if (name.Contains(".qkv.", StringComparison.Ordinal))
        {
            long[] third = [shape[0] / 3, .. shape[1..]];
            return new(name, shape, [.. new[] { "query", "key", "value" }
                .Select(part => (there.Replace(".qkv.", $".attention.attention.{part}.", StringComparison.Ordinal), third))]);
        }

        return new(name, shape, (there.Replace(".out.", ".attention.output.dense.", StringComparison.Ordinal)
            .Replace(".fc1.", gated ? ".mlp.weights_in." : ".mlp.fc1.", StringComparison.Ordinal)
            .Replace(".fc2.", gated ? ".mlp.weights_out." : ".mlp.fc2.", StringComparison.Ordinal)
            .Replace("scale1", "layer_scale1.lambda1", StringComparison.Ordinal)
            .Replace("scale2", "layer_scale2.lambda1", StringComparison.Ordinal), shape));
    }
}
