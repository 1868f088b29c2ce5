using System.Text.Json;
using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Backbones.Compact;
using Microsoft.ML.KagPrompt.Backbones.Vit;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Text;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Pretraining;

/// <summary>A distilled trunk, and a text tower that learns beside its image embedding or comes from a finished backbone.</summary>
internal sealed class CompactAlignment : IAlignmentPupil
{
    private readonly CompactVisionConfig config = new();
    private readonly TextTransformerConfig textConfig;
    private readonly IReadOnlyList<(string First, string Second)> merges = Vocabulary.Learn();
    private readonly CompactVisionTower vision;

    public CompactAlignment(string trunk, string? textFolder, int seed)
    {
        using var source = SafetensorsFile.Open(trunk);
        vision = new CompactVisionTower(config, WeightSet.Read(CompactVisionTower.Shapes(config), source));
        Tokenizer = new BytePairTokenizer(merges, CompactBackbone.ContextLength);
        textConfig = new TextTransformerConfig
        {
            Width = 128, Depth = 3, Heads = 4, MlpWidth = 512, ContextLength = Tokenizer.ContextLength, VocabularySize = Tokenizer.VocabularySize, JointWidth = config.JointWidth,
        };
        TrainsText = textFolder is null;
        Text = new TextTransformer(textConfig, textFolder is null ? Initial(TextTransformer.Shapes(textConfig), seed) : ReadText(textFolder, textConfig));
    }

    public IVisionTower Vision => vision;

    public IPooledEmbedding Embedding => vision;

    public TextTransformer Text { get; }

    public BytePairTokenizer Tokenizer { get; }

    public bool TrainsText { get; }

    public IReadOnlyList<Tensor> Trained
        => [.. vision.Weights.Where(entry => entry.Key.StartsWith("embed.", StringComparison.Ordinal)).Select(entry => entry.Value), .. TrainsText ? Text.Weights.Values : []];

    public void Write(string output)
    {
        Directory.CreateDirectory(output);
        using var scope = NewDisposeScope();
        var tensors = vision.Weights.Select(entry => ("vision." + entry.Key, entry.Value)).Concat(Text.Weights.Select(entry => ("text." + entry.Key, entry.Value)))
            .ToDictionary(entry => entry.Item1, entry => entry.Value.to_type(ScalarType.Float16));
        var metadata = new Dictionary<string, string>
        {
            ["vision"] = config.ToJson(),
            ["text"] = JsonSerializer.Serialize(textConfig),
            ["teacher"] = "MobileNetV2 1.0 224 (ImageNet), google-coral/test_data, Apache-2.0",
            ["licence"] = "MIT; distilled on rendered images, see docs/explanation/compact-backbone.md",
        };
        using (var file = File.Create(Path.Combine(output, ShippedFiles.Backbone)))
        {
            SafetensorsWriter.Write(file, tensors, metadata);
        }

        File.WriteAllText(Path.Combine(output, ShippedFiles.Merges), string.Concat(merges.Select(merge => $"{merge.First} {merge.Second}\n")));
    }

    public void Dispose()
    {
        vision.Dispose();
        Text.Dispose();
    }

    private static WeightSet ReadText(string folder, TextTransformerConfig config)
    {
        using var source = SafetensorsFile.Open(Path.Combine(folder, ShippedFiles.Backbone));
        return WeightSet.Read(TextTransformer.Shapes(config), new PrefixedTensors(source, "text."));
    }

    private static WeightSet Initial(IReadOnlyDictionary<string, long[]> shapes, int seed)
    {
        using var generator = new Generator((ulong)seed, CPU);
        return new(shapes.ToDictionary(shape => shape.Key, shape => (shape.Key switch
        {
            "log_scale" => tensor((float)Math.Log(10)),
            _ when shape.Key.Contains("norm", StringComparison.Ordinal) && shape.Key.EndsWith("weight", StringComparison.Ordinal) => ones(shape.Value),
            _ when shape.Key.EndsWith("bias", StringComparison.Ordinal) => zeros(shape.Value),
            _ => randn(shape.Value, generator: generator).Times(shape.Key is "tokens" or "positions" ? 0.05 : 1 / Math.Sqrt(shape.Value[^1])),
        }).DetachFromDisposeScope()));
    }
}
