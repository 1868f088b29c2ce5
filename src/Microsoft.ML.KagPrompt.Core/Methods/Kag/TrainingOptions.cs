using System.Text.Json.Serialization;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Methods.Common;

namespace Microsoft.ML.KagPrompt;

/// <summary>How the graph prompt is trained on normal images and their synthetic twins (equation 17).</summary>
/// <remarks>Immutable; safe to share between threads.</remarks>
public sealed record TrainingOptions
{
    /// <summary>
    /// Passes over the normal images, 0 to 100,000; 0, the default: no training. Training needs a backbone with a text side. Five suit
    /// going on from a trained prompt, as comes with the backbone "compact"; an untrained one needs more:
    /// the paper takes 50 (MVTec AD) and 80 (VisA).
    /// </summary>
    public int Epochs { get; init; }

    /// <summary>
    /// Normal images a step, 1 to 4096; each comes with its synthetic twin. Null, the default:
    /// the paper's 16, fewer where there are few images (at least eight steps an epoch).
    /// </summary>
    public int? BatchSize { get; init; }

    /// <summary>
    /// AdamW's learning rate after the warm-up, above 0. Null, the default: the paper's 0.001;
    /// but 0.0002 where training goes on from a trained prompt, which larger steps may make forget.
    /// </summary>
    public float? LearningRate { get; init; }

    /// <summary>AdamW's decoupled weight decay, 0 or more.</summary>
    public float WeightDecay { get; init; } = 1e-3f;

    /// <summary>Largest gradient norm of a step, above 0.</summary>
    public float GradientClip { get; init; } = 1f;

    /// <summary>λ1: weight of the focal loss (equation 17), 0 or more.</summary>
    public float FocalWeight { get; init; } = 1f;

    /// <summary>
    /// λ2: weight of the dice losses (equation 17), 0 or more. Null, the default: the paper's 1, or what the backbone was measured to need
    /// (the embedded one: 0 with the paper's variant, where they teach the prompt to call everything normal).
    /// </summary>
    public float? DiceWeight { get; init; }

    /// <summary>
    /// Where training leaves off when the process ends, a folder; null, the default: nowhere. It is written to before the first step, after
    /// every epoch, every <see cref="CheckpointInterval"/> and on cancellation, whole or not at all. The same fit begun again (same images,
    /// options, seed and backbone) goes on from there, to the same weights bit for bit on the same machine with as many threads. Each
    /// training has a file of its own there, named after what it is made of, which stays until it is deleted. A saved model does not name
    /// the folder.
    /// </summary>
    [JsonIgnore]
    public string? CheckpointFolder { get; init; }

    /// <summary>Longest time between two checkpoints, above zero; five minutes by default. Of no use without a folder.</summary>
    [JsonIgnore]
    public TimeSpan CheckpointInterval { get; init; } = TimeSpan.FromMinutes(5);

    internal void CollectFaults(OptionFaults faults, string group) => faults
        .Require(Epochs is >= 0 and <= 100_000, $"{group}.{nameof(Epochs)}", "0 to 100000", Epochs)
        .Require(BatchSize is null or (>= 1 and <= 4096), $"{group}.{nameof(BatchSize)}", "1 to 4096, or null", BatchSize)
        .Require(LearningRate is null or (> 0 and <= float.MaxValue), $"{group}.{nameof(LearningRate)}",
            "a positive number, or null", LearningRate)
        .Require(float.IsFinite(WeightDecay) && WeightDecay >= 0, $"{group}.{nameof(WeightDecay)}", "0 or more", WeightDecay)
        .Require(float.IsFinite(GradientClip) && GradientClip > 0, $"{group}.{nameof(GradientClip)}", "a positive number", GradientClip)
        .Require(float.IsFinite(FocalWeight) && FocalWeight >= 0, $"{group}.{nameof(FocalWeight)}", "0 or more", FocalWeight)
        .Require(DiceWeight is null or (>= 0 and <= float.MaxValue), $"{group}.{nameof(DiceWeight)}", "0 or more, or null", DiceWeight)
        .Require(CheckpointFolder is null || !string.IsNullOrWhiteSpace(CheckpointFolder), $"{group}.{nameof(CheckpointFolder)}",
            "a folder, or null", CheckpointFolder)
        .Require(CheckpointInterval > TimeSpan.Zero, $"{group}.{nameof(CheckpointInterval)}", "a time above zero", CheckpointInterval);
}
