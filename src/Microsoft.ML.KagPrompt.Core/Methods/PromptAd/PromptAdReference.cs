using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Methods.Common;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Methods.PromptAd;

/// <summary>What a class's prompts have become, and its normal patches inside two blocks. Owns both.</summary>
/// <param name="directions"> [4, C']: normal and abnormal direction for patches, then for whole images, each times the logit scale, so that
/// scoring needs no text tower.
/// </param>
/// <param name="bank">The patches.</param>
internal sealed class PromptAdReference(torch.Tensor directions, MemoryBank bank) : ClassReference
{
    public override torch.Tensor TextFeatures { get; } = directions;

    public MemoryBank Bank { get; } = bank;

    public torch.Tensor ForPatches => TextFeatures.narrow(0, 0, 2);

    public torch.Tensor ForImages => TextFeatures.narrow(0, 2, 2);

    public override IReadOnlyDictionary<string, torch.Tensor> Tensors
        => Bank.Layers.Select((layer, i) => (Name: $"bank.{i}", Tensor: layer)).Append((Name: "text", Tensor: TextFeatures))
            .ToDictionary(entry => entry.Name, entry => entry.Tensor);

    /// <summary>From a saved model. The caller owns it.</summary>
    public static PromptAdReference Read(ITensorSource source, int width, int jointWidth, torch.Device device, ClassRegion? region)
    {
        using var scope = torch.NewDisposeScope();
        var directions = StoredMatrix.Read(source, "text", 4, jointWidth).to(device);
        return new(directions.DetachFromDisposeScope(), PatchBankReference.Read(source, [width, width], device)) { Region = region };
    }
}
