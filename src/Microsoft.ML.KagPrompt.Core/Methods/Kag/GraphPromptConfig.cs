using Microsoft.ML.KagPrompt.Backbones;

namespace Microsoft.ML.KagPrompt.Methods.Kag;

/// <summary>Sizes of a graph prompt.</summary>
internal sealed record GraphPromptConfig
{
    public GraphVariant Variant { get; init; } = GraphVariant.Paper;

    /// <summary>D_i of the four layers it sees.</summary>
    public required IReadOnlyList<int> TapWidths { get; init; }

    /// <summary>C': width of the nodes and of the text features.</summary>
    public required int JointWidth { get; init; }

    /// <summary>T.</summary>
    public required int Iterations { get; init; }

    /// <summary>Width of query and key in the loop edge: C'/8.</summary>
    public int QueryWidth => Math.Max(1, JointWidth / 8);

    public static GraphPromptConfig For(VisionTowerInfo info, GraphVariant variant, int iterations)
        => new() { Variant = variant, TapWidths = info.PromptTaps.Widths, JointWidth = info.JointWidth, Iterations = iterations };
}
