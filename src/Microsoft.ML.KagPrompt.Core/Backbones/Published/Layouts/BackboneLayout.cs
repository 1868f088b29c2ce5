using Microsoft.ML.KagPrompt.Backbones.Vit;
using Microsoft.ML.KagPrompt.Checkpoints;

namespace Microsoft.ML.KagPrompt.Backbones.Published.Layouts;

/// <summary>What a published checkpoint holds: a family's towers, their sizes, and where each weight lies.</summary>
internal sealed record BackboneLayout
{
    /// <summary>Which preset it is ("imagebind-huge", "openclip-vit-h-14"), or the family and its sizes.</summary>
    public required string Name { get; init; }

    /// <summary>ImageBind, OpenCLIP, CLIP, DINOv2.</summary>
    public required string Family { get; init; }

    /// <summary>Under what terms the family's weights were published.</summary>
    public required string Licence { get; init; }

    public required VisionTransformerConfig Vision { get; init; }

    public required IReadOnlyList<WeightRule> VisionRules { get; init; }

    /// <summary>Null where the family has no text side.</summary>
    public TextTransformerConfig? Text { get; init; }

    public IReadOnlyList<WeightRule> TextRules { get; init; } = [];

    /// <summary>What may lie beside the towers, and what it is.</summary>
    public IReadOnlyList<(string What, Func<string, bool> Is)> Skipped { get; init; } = [];

    /// <summary>Whether every name of the file is one of the towers' or of the named rest, all shapes included.</summary>
    /// <exception cref="CheckpointMismatchException">Lists all that is not.</exception>
    public void Check(ITensorSource source)
        => StrictLoad.Check(VisionRules.Concat(TextRules), source, name => Skipped.Any(skip => skip.Is(name)));
}
