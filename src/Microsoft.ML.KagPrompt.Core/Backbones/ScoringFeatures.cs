using Microsoft.ML.KagPrompt.Backbones;

namespace Microsoft.ML.KagPrompt.Backbones;

/// <summary>Features of images for the two branches: from one tower for both, or from one each. Owns them.</summary>
internal sealed class ScoringFeatures(VisionFeatures? forPrompt, VisionFeatures? forMemory) : IDisposable
{
    /// <summary>Null where there is no prompt and the memory bank has its own tower.</summary>
    public VisionFeatures? ForPrompt => forPrompt;

    public VisionFeatures ForMemory => forMemory ?? forPrompt!;

    public void Dispose()
    {
        forPrompt?.Dispose();
        forMemory?.Dispose();
    }
}
