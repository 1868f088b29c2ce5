using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Backbones.Compact;
using Microsoft.ML.KagPrompt.Backbones.Residual;
using Microsoft.ML.KagPrompt.Checkpoints;

namespace Microsoft.ML.KagPrompt.Pretraining;

/// <summary>The embedded ResNet18 in a folder: the network, and its image embedding beside it once that is aligned. Its text side is the compact backbone's, as the library holds it.</summary>
internal sealed class ResNet18Files(string folder) : IBackboneFiles
{
    public const string Backbone = "resnet18.safetensors";
    public const string Embedding = "resnet18.embed.safetensors";

    public string Name => BackboneSources.ResNet18;

    public IVisionTower Vision()
    {
        ITensorSource network = SafetensorsFile.Open(Path.Combine(folder, Backbone));
        var embedding = Path.Combine(folder, Embedding);
        using var source = File.Exists(embedding) ? new JoinedTensors(network, SafetensorsFile.Open(embedding)) : network;
        return ResNet18Backbone.ReadVision(source);
    }

    public TextSide Text() => CompactBackbone.Embedded.LoadText()!;
}
