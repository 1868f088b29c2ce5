using Microsoft.ML.KagPrompt.Backbones;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Backbones;

/// <summary>Features of images for the two branches: from one tower for both, or from one each. Owns them.</summary>
internal sealed class ScoringFeatures(VisionFeatures? forPrompt, VisionFeatures? forMemory) : EncodedImages
{
    /// <summary>Null where there is no prompt and the memory bank has its own tower.</summary>
    public VisionFeatures? ForPrompt => forPrompt;

    public VisionFeatures ForMemory => forMemory ?? forPrompt!;

    public override IEnumerable<torch.Tensor> Tensors
        => new[] { forPrompt, forMemory }.OfType<VisionFeatures>().SelectMany(features => features.Tensors);

    public override EncodedImages Map(Func<torch.Tensor, torch.Tensor> change)
        => new ScoringFeatures((VisionFeatures?)forPrompt?.Map(change), (VisionFeatures?)forMemory?.Map(change));
}
