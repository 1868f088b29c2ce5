using TorchSharp;

namespace Microsoft.ML.KagPrompt.Backbones;

/// <summary>A backbone on disk or in the library. Each tower is read only when it is asked for. Thread-safe.</summary>
internal interface IBackboneSource
{
    /// <summary>Preset or family and sizes, for messages and manifests.</summary>
    string Name { get; }

    /// <summary>The file or directory; null for the embedded one.</summary>
    string? Location { get; }

    /// <summary>Weights of methods that come with it.</summary>
    IReadOnlyList<PretrainedHead> Heads => [];

    /// <summary>Number of the vision tower's values.</summary>
    long VisionValues { get; }

    /// <summary>Whether it has a text side, told without reading it.</summary>
    bool HasText { get; }

    /// <summary>Reads the vision tower. The caller owns it.</summary>
    /// <param name="type">What it computes in.</param>
    /// <param name="roundToHalf">Whether 32-bit weights are first rounded to what 16-bit floats hold.</param>
    /// <param name="taps">Tapped blocks, counted from 1; null: the backbone's own.</param>
    /// <exception cref="ArgumentException">It has no such blocks.</exception>
    IVisionTower LoadVision(torch.ScalarType type, bool roundToHalf, IReadOnlyList<int>? taps = null);

    /// <summary>The file the vision tower comes from; null for the embedded backbone. Reads the whole file the first time.</summary>
    VisionReference? Reference();

    /// <summary>Reads the text tower; null where the family has no text side. The caller owns it.</summary>
    /// <exception cref="KagPromptException">There is a text tower, but no vocabulary.</exception>
    TextSide? LoadText();
}
