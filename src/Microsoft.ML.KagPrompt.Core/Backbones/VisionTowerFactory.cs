using System.Text.Json;
using Microsoft.ML.KagPrompt.Backbones.Compact;
using Microsoft.ML.KagPrompt.Backbones.Residual;
using Microsoft.ML.KagPrompt.Backbones.Vit;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Diagnostics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Backbones;

/// <summary>Builds vision towers from what a model archive holds.</summary>
internal static class VisionTowerFactory
{
    /// <summary>A tower of a family with the weights of a source.</summary>
    /// <exception cref="ModelFormatException">The family or its configuration is not known.</exception>
    /// <exception cref="CheckpointMismatchException">The weights do not fit the configuration.</exception>
    public static IVisionTower Create(string family, string configurationJson, ITensorSource source,
        torch.ScalarType type = torch.ScalarType.Float32)
    {
        try
        {
            switch (family)
            {
                case VisionTransformer.FamilyName:
                    var vit = VisionTransformerConfig.Parse(configurationJson);
                    return new VisionTransformer(vit, WeightSet.Read(VisionTransformer.Shapes(vit), source, type));
                case CompactVisionTower.FamilyName:
                    var compact = CompactVisionConfig.Parse(configurationJson);
                    return new CompactVisionTower(compact, WeightSet.Read(CompactVisionTower.Shapes(compact), source, type));
                case ResidualNetwork.FamilyName:
                    var residual = ResidualNetworkConfig.Parse(configurationJson);
                    return new ResidualNetwork(residual, WeightSet.Read(ResidualNetwork.Shapes(residual), source, type));
                default:
                    throw new ModelFormatException($"The model's backbone is of family '{family}': expected "
                        + $"'{VisionTransformer.FamilyName}', '{CompactVisionTower.FamilyName}' or '{ResidualNetwork.FamilyName}'. "
                        + "A newer version of this library may know it.");
            }
        }
        catch (Exception fault)
            when (fault is JsonException or ArgumentException or InvalidOperationException or NotSupportedException or OverflowException)
        {
            throw new ModelFormatException($"The model's backbone configuration is damaged: {fault.Message}", fault);
        }
    }
}
