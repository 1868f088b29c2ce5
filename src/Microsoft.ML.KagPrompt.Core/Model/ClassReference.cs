using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Methods.Common;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Model;

/// <summary>What a class brings to scoring: its prompts' features and its normal patches. Owns both.</summary>
internal sealed class ClassReference(torch.Tensor? textFeatures, MemoryBank? bank) : IDisposable
{
    /// <summary>F_text = [F_n, F_a]: [2, C']; null where no prompt is trained.</summary>
    public torch.Tensor? TextFeatures { get; } = textFeatures;

    /// <summary>The memory bank; null before supports are known.</summary>
    public MemoryBank? Bank { get; } = bank;

    public void Dispose()
    {
        TextFeatures?.Dispose();
        Bank?.Dispose();
    }
}

/// <summary>A class as a model holds it.</summary>
internal sealed record ClassState(Shared<ClassReference> Reference, ThresholdCalibration Calibration);
