using Microsoft.ML.KagPrompt.Backbones.Vit;

namespace Microsoft.ML.KagPrompt.Backbones.Published.Layouts;

/// <summary>What cannot be read off names and shapes. Null: the family's own.</summary>
internal sealed record LayoutHints
{
    public static LayoutHints None { get; } = new();

    public int? VisionHeads { get; init; }

    public int? TextHeads { get; init; }

    /// <summary>The MLPs' activation; OpenAI's CLIP and OpenCLIP share names and differ in it.</summary>
    public Activation? Activation { get; init; }
}
