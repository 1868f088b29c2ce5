using Microsoft.ML.KagPrompt.Backbones.Published.Layouts;
using Microsoft.ML.KagPrompt.Backbones.Residual;
using Microsoft.ML.KagPrompt.Backbones.Vit;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Diagnostics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Backbones.Published;

/// <summary>Reads the vision tower a model refers to, from a converted or a published file.</summary>
internal static class ReferredVision
{
    /// <summary>What the converter writes into a vision file's metadata.</summary>
    public const string KindValue = "vision";

    public static IVisionTower Read(ITensorSource source, string family, string configurationJson, torch.ScalarType type)
    {
        if (source.Metadata.GetValueOrDefault(SafetensorsWriter.KindKey) == KindValue)
        {
            return VisionTowerFactory.Create(family, configurationJson, source, type);
        }

        if (family == ResidualNetwork.FamilyName)
        {
            var residual = ResidualNetworkConfig.Parse(configurationJson);
            var there = ResNetLayout.Matches(source)
                ? (ResNetLayout.Read(source) with { Taps = residual.Taps }).ToJson()
                : "another family";
            return there == residual.ToJson() ? ResNetCheckpoint.ReadVision(source, residual, type)
                : throw new ModelFormatException($"{source.Origin} holds another tower than the model was fitted with: "
                    + $"expected {configurationJson}, got {there}.");
        }

        var config = VisionTransformerConfig.Parse(configurationJson);
        var layout = KnownLayouts.Recognise(source, new LayoutHints
        {
            VisionHeads = config.Heads, Activation = config.Activation == Activation.SwiGlu ? null : config.Activation
        });
        return (layout.Vision with { Taps = config.Taps }).ToJson() == config.ToJson()
            ? new VisionTransformer(config,
                WeightSet.Read(VisionTransformer.Shapes(config), new MappedTensors(source, layout.VisionRules), type))
            : throw new ModelFormatException($"{source.Origin} holds another tower than the model was fitted with: "
                + $"expected {configurationJson}, got {layout.Vision.ToJson()}.");
    }
}
