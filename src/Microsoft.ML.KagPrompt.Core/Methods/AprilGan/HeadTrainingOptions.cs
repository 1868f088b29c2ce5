using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt;

/// <summary>
/// How APRIL-GAN's linear heads are trained on normal images and their synthetic twins: focal and dice loss of every layer's map, by Adam
/// (β 0.5 and 0.999).
/// </summary>
/// <remarks>Immutable; safe to share between threads.</remarks>
public sealed record HeadTrainingOptions
{
    /// <summary>
    /// Passes over the normal images, 0 to 100,000. Null, the default: 15 of untrained heads, none of heads that were trained before.
    /// </summary>
    public int? Epochs { get; init; }

    /// <summary>Normal images a step, 1 to 4096; each comes with its synthetic twin. The default makes the authors' eight images.</summary>
    public int BatchSize { get; init; } = 4;

    /// <summary>Adam's learning rate, above 0.</summary>
    public float LearningRate { get; init; } = 1e-3f;

    internal void CollectFaults(OptionFaults faults, string group) => faults
        .Require(Epochs is null or (>= 0 and <= 100_000), $"{group}.{nameof(Epochs)}", "0 to 100000, or null", Epochs)
        .Require(BatchSize is >= 1 and <= 4096, $"{group}.{nameof(BatchSize)}", "1 to 4096", BatchSize)
        .Require(LearningRate is > 0 and <= float.MaxValue, $"{group}.{nameof(LearningRate)}", "a positive number", LearningRate);
}
