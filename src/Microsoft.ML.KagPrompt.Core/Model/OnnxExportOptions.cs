using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt;

/// <summary>How a model is written as an ONNX file.</summary>
/// <remarks>Immutable; safe to share between threads.</remarks>
public sealed record OnnxExportOptions
{
    /// <summary>The class whose images the file scores; null: the model's only one.</summary>
    public string? ClassName { get; init; }

    /// <summary>How weights are stored.</summary>
    public OnnxWeightType Precision { get; init; } = OnnxWeightType.Float32;

    /// <summary>What is stored in 8 bit.</summary>
    public OnnxQuantization Quantize { get; init; } = OnnxQuantization.None;

    /// <summary>
    /// False: the file takes images of any size, 8 bits a channel, [N, H, W, 3], and resizes them itself. True: it takes images that are
    /// S × S already, as numbers 0 to 255, [N, 3, S, S], for runtimes that cannot resize as it needs.
    /// </summary>
    public bool FixedSize { get; init; }

    internal void Validate() => new OptionFaults()
        .Require(ClassName != "", nameof(ClassName), "a class, or null for the only one", ClassName)
        .Require(Enum.IsDefined(Precision), nameof(Precision), "a defined type", Precision)
        .Require(Enum.IsDefined(Quantize), nameof(Quantize), "a defined value", Quantize)
        .ThrowIfAny(nameof(OnnxExportOptions));
}
