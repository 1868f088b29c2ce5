using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Backbones.Compact;
using Microsoft.ML.KagPrompt.Backbones.Residual;
using Microsoft.ML.KagPrompt.Backbones.Vit;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Text;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Pretraining;

/// <summary>The ImageNet ResNet18 with a new image embedding, which learns to meet the compact backbone's text tower; that and the network stay as they are.</summary>
internal sealed class ResNet18Alignment : IAlignmentPupil
{
    // One cell of the third stage: half as fine as the memory bank's in each direction, a sixteenth of the cost of the graph's attention.
    private const int PromptStep = 16;
    private const int Hidden = 192;

    private readonly string network;
    private readonly ResidualNetworkConfig config;
    private readonly ResidualNetwork vision;
    private readonly TextSide text = CompactBackbone.Embedded.LoadText()!;

    public ResNet18Alignment(string network, int seed)
    {
        this.network = network;
        using var source = SafetensorsFile.Open(network);
        config = ResidualNetworkConfig.Parse(source.Metadata["vision"]) with { PromptStep = PromptStep, EmbeddingWidth = text.Tower.JointWidth, EmbeddingHidden = Hidden };
        using var generator = new Generator((ulong)seed, CPU);
        var embedding = ResidualNetwork.EmbeddingShapes(config).ToDictionary(entry => entry.Key,
            entry => (entry.Value.Length == 1 ? zeros(entry.Value) : randn(entry.Value, generator: generator).Times(Math.Sqrt(2.0 / entry.Value[1]))).DetachFromDisposeScope());
        using var plain = WeightSet.Read(ResidualNetwork.Shapes(config).Where(entry => !embedding.ContainsKey(entry.Key)).ToDictionary(), source);
        vision = new ResidualNetwork(config, new WeightSet(plain.ByName.ToDictionary(entry => entry.Key, entry => entry.Value.clone().DetachFromDisposeScope()).Concat(embedding).ToDictionary()));
    }

    /// <summary>Whether a file is of a residual network.</summary>
    public static bool IsOne(string file)
    {
        using var source = SafetensorsFile.Open(file);
        return source.Entries.ContainsKey("stages.0.0.conv1.weight");
    }

    public IVisionTower Vision => vision;

    public IPooledEmbedding Embedding => vision;

    public TextTransformer Text => (TextTransformer)text.Tower;

    public BytePairTokenizer Tokenizer => text.Tokenizer;

    public bool TrainsText => false;

    public IReadOnlyList<Tensor> Trained => [.. ResidualNetwork.EmbeddingShapes(config).Keys.Select(name => vision.Weights[name])];

    public void Write(string output)
    {
        Directory.CreateDirectory(output);
        using var scope = NewDisposeScope();
        var tensors = ResidualNetwork.EmbeddingShapes(config).Keys.ToDictionary(name => name, name => vision.Weights[name].detach().to_type(ScalarType.Float16));
        using (var file = File.Create(Path.Combine(output, ResNet18Files.Embedding)))
        {
            SafetensorsWriter.Write(file, tensors, new Dictionary<string, string>
            {
                ["vision"] = config.ToJson(),
                ["licence"] = "MIT; trained on rendered images, see docs/explanation/resnet18.md",
            });
        }

        File.Copy(network, Path.Combine(output, ResNet18Files.Backbone), overwrite: true);
    }

    public void Dispose()
    {
        vision.Dispose();
        text.Dispose();
    }
}
