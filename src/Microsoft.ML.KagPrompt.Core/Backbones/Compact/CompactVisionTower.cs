using Microsoft.ML.KagPrompt.Backbones.Vit;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Numerics;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.KagPrompt.Backbones.Compact;

/// <summary>
/// A small residual convolutional trunk. Each stage's map is brought to the patch grid and projected to a tap;
/// the last stage is pooled to the image embedding.
/// </summary>
internal sealed partial class CompactVisionTower : IVisionTower, IPooledEmbedding
{
    public const string FamilyName = "compact";

    private readonly CompactVisionConfig config;
    private readonly WeightSet weights;

    /// <summary>Takes over the weights, which <see cref="Shapes"/> names.</summary>
    public CompactVisionTower(CompactVisionConfig config, WeightSet weights)
    {
        (this.config, this.weights, pixels) = (config, weights, new(weights));
        Info = new VisionTowerInfo
        {
            PatchSize = config.PatchSize,
            TapWidths = config.TapWidths,
            JointWidth = config.JointWidth,
            ImageSize = config.ImageSize,
            Mean = [0.5f, 0.5f, 0.5f],
            Std = [0.5f, 0.5f, 0.5f],
            // Measured with painted spots on many grounds (eng/, verb "places", prints such figures): the learnt kernels do not look
            // straight ahead. The two axes differ by less than the measurement spreads, so they share one value.
            TapShifts = [(0.55, 0.55), (1.45, 1.45), (4.75, 4.75), (2.35, 2.35)],
            Presets = [new TrainingPreset("kag.paper", CentreProjections: true, DiceWeight: 0)],
        };
    }

    public VisionTowerInfo Info { get; }

    public string Family => FamilyName;

    public string ConfigurationJson => config.ToJson();

    public IReadOnlyDictionary<string, Tensor> Weights => weights.ByName;

    /// <summary>Every weight's name and shape.</summary>
    public static IReadOnlyDictionary<string, long[]> Shapes(CompactVisionConfig config)
    {
        config.Validate();
        var shapes = new Dictionary<string, long[]>();
        void Add(string name, params long[] shape)
        {
            shapes.Add($"{name}.weight", shape);
            shapes.Add($"{name}.bias", [shape[0]]);
        }

        Add("stem", config.StemWidth, 3, 3, 3);
        long width = config.StemWidth;
        for (var i = 0; i < config.StageWidths.Count; i++)
        {
            var stage = config.StageWidths[i];
            Add($"stages.{i}.enter", stage, width, 3, 3);
            for (var j = 0; j < config.StageBlocks[i]; j++)
            {
                Add($"stages.{i}.blocks.{j}.conv1", stage, stage, 3, 3);
                Add($"stages.{i}.blocks.{j}.conv2", stage, stage, 3, 3);
            }

            Add($"taps.{i}", config.TapWidths[i], stage);
            width = stage;
        }

        Add("embed.hidden", config.EmbeddingHidden, 2 * width);
        Add("embed.out", config.JointWidth, config.EmbeddingHidden);
        return shapes;
    }

    public VisionFeatures Encode(Tensor images, bool forPrompt = true)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var alone = TakesPixels(images) ? TorchThreads.Alone() : default;
        var grid = images.shape[2] / config.PatchSize;
        var maps = Trunk(images.to(weights.Type));
        var taps = maps.Select((map, i) => Tap(i, ToGrid(map, grid)).to(ScalarType.Float32).MoveToOuterDisposeScope()).ToArray();
        return new VisionFeatures(taps, Embed(maps[^1]).to(ScalarType.Float32).MoveToOuterDisposeScope());
    }

    public Tensor Deepest(Tensor images) => Trunk(images)[^1];

    /// <summary>The four stages' maps [B, W_i, S/stride, S/stride]; with gradients where the weights ask for them.</summary>
    public IReadOnlyList<Tensor> Trunk(Tensor images)
    {
        if (TakesPixels(images))
        {
            return pixels.Run(images, Layers(), MapsOf);
        }

        var x = Conv(images, "stem", stride: 2).relu_();
        var maps = new Tensor[config.StageWidths.Count];
        for (var i = 0; i < maps.Length; i++)
        {
            x = Conv(x, $"stages.{i}.enter", EntryStride(i)).relu_();
            for (var j = 0; j < config.StageBlocks[i]; j++)
            {
                var inner = Conv(x, $"stages.{i}.blocks.{j}.conv1", stride: 1).relu_();
                x = x.Plus(Conv(inner, $"stages.{i}.blocks.{j}.conv2", stride: 1)).relu_();
            }

            maps[i] = x;
        }

        return maps;
    }

    /// <summary>A stage's map [B, W, h, w] as patch tokens [B, h·w, D_i].</summary>
    public Tensor Tap(int stage, Tensor map)
        => functional.linear(map.flatten(2).transpose(1, 2), weights[$"taps.{stage}.weight"], weights[$"taps.{stage}.bias"]);

    /// <summary>F_cls: mean and maximum over the last stage's places, through two layers, at unit length: [B, C'].</summary>
    public Tensor Embed(Tensor last)
    {
        var pooled = cat([last.mean([2, 3]), last.amax([2, 3])], 1);
        var hidden = functional.linear(pooled, weights["embed.hidden.weight"], weights["embed.hidden.bias"]).relu();
        return functional.linear(hidden, weights["embed.out.weight"], weights["embed.out.bias"]).UnitLength(-1);
    }

    public void MoveTo(Device device)
    {
        pixels.Forget();
        weights.MoveTo(device);
    }

    public void Dispose()
    {
        pixels.Forget();
        weights.Dispose();
    }

    /// <summary>Averages a finer map down to the patch grid, interpolates a coarser one up to it.</summary>
    internal static Tensor ToGrid(Tensor map, long grid) => map.shape[2] > grid
        ? functional.adaptive_avg_pool2d(map, [grid, grid])
        : functional.interpolate(map, [grid, grid], mode: InterpolationMode.Bilinear, align_corners: false);

    private static int EntryStride(int stage) => stage < 3 ? 2 : 1;

    private Tensor Conv(Tensor x, string name, long stride)
        => Convolution.Apply(x, weights[$"{name}.weight"], weights[$"{name}.bias"], stride, padding: 1);
}
