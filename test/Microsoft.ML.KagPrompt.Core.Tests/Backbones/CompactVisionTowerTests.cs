using Microsoft.ML.KagPrompt.Backbones.Compact;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Tests.Backbones;

/// <summary>The compact tower against plain loops, over random weights.</summary>
public class CompactVisionTowerTests
{
    private static readonly CompactVisionConfig Config = new()
    {
        StemWidth = 5,
        StageWidths = [6, 7, 8, 9],
        StageBlocks = [1, 2, 0, 1],
        TapWidths = [3, 4, 5, 6],
        JointWidth = 7,
        EmbeddingHidden = 8,
        PatchSize = 14,
        ImageSize = 56,
    };

    // What the library's own convolutions take.
    private static readonly CompactVisionConfig Wide = Config with { StemWidth = 16, StageWidths = [48, 16, 32, 16] };

    [Theory]
    [InlineData(56, 1, false)]
    [InlineData(84, 2, false)]
    [InlineData(112, 2, false)]
    [InlineData(56, 1, true)]
    [InlineData(84, 3, true)]
    public void Encode_RandomWeights_EqualsPlainLoops(int side, int batch, bool isWide)
    {
        using var scope = NewDisposeScope();
        using var random = new Generator(4);
        using var tower = Tower(random, isWide ? Wide : Config);
        var pictures = Enumerable.Range(0, batch).Select(i => TestImages.Noise(side, side, i)).ToArray();
        using var features = tower.Encode(new ImagePreprocessor(side, ResizeMode.Stretch, tower.Info.Mean, tower.Info.Std).Normalize(pictures));
        var naive = new NaiveCompactTower(tower.Weights, Config.StageBlocks, Config.PatchSize);
        for (var i = 0; i < batch; i++)
        {
            var (taps, embedding) = naive.Encode(NaiveCompactTower.Pixels(pictures[i]));
            for (var tap = 0; tap < taps.Length; tap++)
            {
                features.PatchTokens[tap][i].ShouldBeClose(tensor(taps[tap]), 1e-4, $"tap {tap} of image {i}");
            }

            features.ImageEmbedding[i].ShouldBeClose(tensor(embedding), 1e-4, $"embedding of image {i}");
        }
    }

    private static CompactVisionTower Tower(Generator random, CompactVisionConfig config)
    {
        var weights = CompactVisionTower.Shapes(config).ToDictionary(entry => "vision." + entry.Key,
            entry => randn(entry.Value, generator: random) * Math.Sqrt(2.0 / Math.Max(1, entry.Value.Skip(1).Aggregate(1L, (a, b) => a * b))));
        using var stream = new MemoryStream();
        SafetensorsWriter.Write(stream, weights, new Dictionary<string, string> { ["vision"] = config.ToJson() });
        stream.Position = 0;
        using var file = SafetensorsFile.Read(stream, "random tower");
        return CompactBackbone.ReadVision(file);
    }
}
