using System.Diagnostics;
using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Backbones.Compact;
using Microsoft.ML.KagPrompt.Backbones.Vit;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Benchmarks.FullSize;

/// <summary>Every published vision tower at its real size with random weights: one 224 × 224 image, in 32 bit and in bfloat16, beside the compact one.</summary>
internal static class TowerSpeeds
{
    private const int Rounds = 5;

    private static readonly (string Name, VisionTransformerConfig Config)[] Presets =
    [
        ("CLIP ViT-B/32", Clip(768, 12, 12, 32, 512)), ("CLIP ViT-B/16", Clip(768, 12, 12, 16, 512)), ("CLIP ViT-L/14", Clip(1024, 24, 16, 14, 768)),
        ("ViT-H/14, ImageBind-Huge", Clip(1280, 32, 16, 14, 1024)),
        ("DINOv2 ViT-S/14", Dino(384, 12, 6)), ("DINOv2 ViT-B/14", Dino(768, 12, 12)), ("DINOv2 ViT-L/14", Dino(1024, 24, 16)),
        ("DINOv2 ViT-g/14", Dino(1536, 40, 24) with { MlpWidth = 4096, Activation = Activation.SwiGlu }),
    ];

    public static void Run()
    {
        using (var compact = CompactBackbone.Embedded.LoadVision(torch.ScalarType.Float32, roundToHalf: false))
        {
            var unit = Seconds(compact);
            Console.WriteLine(FormattableString.Invariant($"compact: {unit:0.000} s an image"));
            foreach (var (name, config) in Presets)
            {
                var times = ((torch.ScalarType[])[torch.ScalarType.Float32, torch.ScalarType.BFloat16]).Select(type =>
                {
                    using var tower = new VisionTransformer(config, Random(config, type));
                    return Seconds(tower);
                }).ToArray();
                var parameters = VisionTransformer.Shapes(config).Values.Sum(shape => shape.Aggregate(1L, (product, size) => product * size)) / 1e6;
                Console.WriteLine(FormattableString.Invariant($"{name}: {parameters:0.0} million parameters; {times[0]:0.00} s an image in 32 bit, {times[1]:0.00} s in bfloat16; {times[0] / unit:0} and {times[1] / unit:0} times the compact one's"));
            }
        }
    }

    private static VisionTransformerConfig Clip(int width, int depth, int heads, int patch, int joint)
        => new() { Width = width, Depth = depth, Heads = heads, MlpWidth = 4 * width, PatchSize = patch, ImageSize = 224, JointWidth = joint };

    private static VisionTransformerConfig Dino(int width, int depth, int heads)
        => new() { Width = width, Depth = depth, Heads = heads, MlpWidth = 4 * width, PatchSize = 14, ImageSize = 518, JointWidth = width, NormBeforeTrunk = false, StemBias = true, LayerScale = true, Head = false };

    private static WeightSet Random(VisionTransformerConfig config, torch.ScalarType type)
    {
        using var random = new torch.Generator(1);
        return new WeightSet(VisionTransformer.Shapes(config).ToDictionary(entry => entry.Key, entry =>
        {
            using var whole = torch.randn(entry.Value, generator: random).mul_(0.02f);
            return whole.to(type, copy: true);
        }));
    }

    /// <summary>Median of several images, after one to warm up.</summary>
    private static double Seconds(IVisionTower tower)
    {
        using var image = torch.randn(1, 3, 224, 224);
        var times = new List<double>();
        for (var i = 0; i <= Rounds; i++)
        {
            var watch = Stopwatch.StartNew();
            using var features = tower.Encode(image);
            times.Add(watch.Elapsed.TotalSeconds);
        }

        return times.Skip(1).Order().ElementAt(Rounds / 2);
    }
}
