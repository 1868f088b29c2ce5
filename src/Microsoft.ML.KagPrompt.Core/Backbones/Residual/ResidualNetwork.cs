using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Numerics;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.KagPrompt.Backbones.Residual;

/// <summary>
/// The stem and first stages of a residual network, batch normalisation folded into its convolutions. Each tapped stage's map is a layer of
/// patch tokens on a grid of its own; the image embedding is the last one's mean, or what two layers make of its mean and maximum. A graph
/// prompt sees coarser cells of every stage, and how each of them differs from the rest of its own picture.
/// </summary>
internal sealed partial class ResidualNetwork : IStageTower, IPooledEmbedding
{
    public const string FamilyName = "resnet";

    private readonly ResidualNetworkConfig config;
    private readonly WeightSet weights;

    /// <summary>Takes over the weights, which <see cref="Shapes"/> names.</summary>
    public ResidualNetwork(ResidualNetworkConfig config, WeightSet weights)
    {
        (this.config, this.weights, pixels) = (config, weights, new(weights));
        Info = new VisionTowerInfo
        {
            PatchSize = config.Step,
            TapWidths = [.. config.Taps.Select(tap => config.StageWidths[tap - 1])],
            TapSteps = [.. config.Taps.Select(_ => config.Step)],
            TapShifts =
                [.. config.Taps.Select(tap => (Place(tap, config.Step, config.LooksDown), Place(tap, config.Step, config.LooksRight)))],
            OwnPromptTaps = config.PromptStep > 0 ? PromptTaps(config) : null,
            JointWidth = config.EmbeddingWidth > 0 ? config.EmbeddingWidth : config.StageWidths[^1],
            // As the compact backbone needs: half of the twins' images have no defect, and dice losses teach to call everything normal.
            Presets = config.PromptStep > 0 ? [new TrainingPreset("kag.paper", CentreProjections: true, DiceWeight: 0)] : [],
            ImageSize = config.ImageSize,
            Mean = config.Mean,
            Std = config.Std,
        };
    }

    public VisionTowerInfo Info { get; }

    public string Family => FamilyName;

    public string ConfigurationJson => config.ToJson();

    public IReadOnlyDictionary<string, Tensor> Weights => weights.ByName;

    /// <summary>Every weight's name and shape.</summary>
    public static IReadOnlyDictionary<string, long[]> Shapes(ResidualNetworkConfig config)
    {
        config.Validate();
        var shapes = new Dictionary<string, long[]>();
        void Add(string name, params long[] shape)
        {
            shapes.Add($"{name}.weight", shape);
            shapes.Add($"{name}.bias", [shape[0]]);
        }

        Add("stem", config.StemWidth, 3, 7, 7);
        long width = config.StemWidth;
        for (var i = 0; i < config.StageWidths.Count; i++)
        {
            long outputs = config.StageWidths[i];
            for (var j = 0; j < config.StageBlocks[i]; j++)
            {
                var block = $"stages.{i}.{j}";
                if (config.MiddleWidths.Count == 0)
                {
                    Add($"{block}.conv1", outputs, width, 3, 3);
                    Add($"{block}.conv2", outputs, outputs, 3, 3);
                }
                else
                {
                    long middle = config.MiddleWidths[i];
                    Add($"{block}.conv1", middle, width, 1, 1);
                    Add($"{block}.conv2", middle, middle, 3, 3);
                    Add($"{block}.conv3", outputs, middle, 1, 1);
                }

                if (j == 0 && (i > 0 || width != outputs))
                {
                    Add($"{block}.shortcut", outputs, width, 1, 1);
                }

                width = outputs;
            }
        }

        foreach (var (name, shape) in EmbeddingShapes(config))
        {
            shapes.Add(name, shape);
        }

        return shapes;
    }

    IReadOnlyList<StageInfo> IStageTower.Stages
        => [.. config.StageWidths.Select((width, i) => new StageInfo(width, ResidualNetworkConfig.StrideOf(i + 1)))];

    public IReadOnlyList<Tensor> EncodeStages(Tensor images)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        return [.. Stages(images.to(weights.Type)).Select(map => map.to(ScalarType.Float32).MoveToOuterDisposeScope())];
    }

    /// <summary>Name and shape of the weights that make the image embedding.</summary>
    public static IReadOnlyDictionary<string, long[]> EmbeddingShapes(ResidualNetworkConfig config)
        => config.EmbeddingWidth == 0 ? new Dictionary<string, long[]>() : new()
        {
            ["embed.hidden.weight"] = [config.EmbeddingHidden, 2 * config.StageWidths[^1]],
            ["embed.hidden.bias"] = [config.EmbeddingHidden],
            ["embed.out.weight"] = [config.EmbeddingWidth, config.EmbeddingHidden],
            ["embed.out.bias"] = [config.EmbeddingWidth],
        };

    public VisionFeatures Encode(Tensor images, bool forPrompt = true)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var alone = TakesPixels(images) ? TorchThreads.Alone() : default;
        var maps = Stages(images.to(weights.Type));
        var taps = config.Taps.Select(tap => Tokens(maps[tap - 1], tap, config.Step, images.shape[2]).MoveToOuterDisposeScope()).ToArray();
        var embedding = Embed(maps[^1]).to(ScalarType.Float32).MoveToOuterDisposeScope();
        var prompt = forPrompt && config.PromptStep > 0
            ? PromptTokens(maps, images.shape[2]).Select(tokens => tokens.MoveToOuterDisposeScope()).ToArray()
            : null;
        return new VisionFeatures(taps, embedding, prompt);
    }

    public Tensor Deepest(Tensor images) => Stages(images.to(weights.Type))[^1];

    public Tensor Embed(Tensor deepest)
    {
        if (config.EmbeddingWidth == 0)
        {
            return deepest.to(ScalarType.Float32).mean([2, 3]).UnitLength(-1);
        }

        var pooled = cat([deepest.mean([2, 3]), deepest.amax([2, 3])], 1);
        var hidden = functional.linear(pooled, weights["embed.hidden.weight"], weights["embed.hidden.bias"]).relu();
        return functional.linear(hidden, weights["embed.out.weight"], weights["embed.out.bias"]).UnitLength(-1);
    }

    /// <summary>The stages' maps [B, W_i, S / stride, S / stride]; with gradients where the weights ask for them.</summary>
    public IReadOnlyList<Tensor> Stages(Tensor images)
    {
        if (TakesPixels(images))
        {
            return pixels.Run(images, Layers(), StagesOf);
        }

        var x = functional.max_pool2d(Conv(images, "stem", stride: 2).relu_(), kernel_size: 3, stride: 2, padding: 1);
        var maps = new Tensor[config.StageWidths.Count];
        for (var i = 0; i < maps.Length; i++)
        {
            for (var j = 0; j < config.StageBlocks[i]; j++)
            {
                x = Block(x, $"stages.{i}.{j}", stride: i > 0 && j == 0 ? 2 : 1);
            }

            maps[i] = x;
        }

        return maps;
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

    /// <summary>
    /// From the middle of a cell's tile to where it looks. Padding is that of odd kernels before even strides: a stage's first cell looks
    /// at pixel 0, the next one a stride further, and a mean over cells at their middle; then what was measured.
    /// </summary>
    private static double Place(int tap, int step, IReadOnlyList<double> looks)
        => (Math.Max(0, step - ResidualNetworkConfig.StrideOf(tap)) / 2.0) - ((step - 1) / 2.0) + looks.ElementAtOrDefault(tap - 1);

    /// <summary>Every stage, and the differences of all of them.</summary>
    private static PromptTaps PromptTaps(ResidualNetworkConfig config)
    {
        var stages = Enumerable.Range(1, config.StageWidths.Count).ToArray();
        return new PromptTaps([.. config.StageWidths, config.StageWidths.Sum()], config.PromptStep,
            (stages.Average(stage => Place(stage, config.PromptStep, config.LooksDown)),
                stages.Average(stage => Place(stage, config.PromptStep, config.LooksRight))));
    }

    private IEnumerable<Tensor> PromptTokens(IReadOnlyList<Tensor> maps, long imageSize)
    {
        var stages = maps.Select((map, i) => Tokens(map, i + 1, config.PromptStep, imageSize)).ToArray();
        return [.. stages, cat([.. stages.Select(Differences)], -1)];
    }

    /// <summary>From the mean over the picture: [B, L, W]. What stands out in its own picture is long.</summary>
    private static Tensor Differences(Tensor tokens) => tokens.Minus(tokens.mean([1], keepdim: true));

    /// <summary>
    /// A stage's map as tokens [B, L, W] of cells of a step: averaged over the stage's cells, or read linearly between them.
    /// </summary>
    private static Tensor Tokens(Tensor map, int stage, int step, long imageSize)
    {
        var stride = ResidualNetworkConfig.StrideOf(stage);
        var cells = stride < step ? functional.avg_pool2d(map, step / stride, ceil_mode: true)
            : stride == step ? map
            : PatchGrid.Square((int)map.shape[2], 0, (double)stride / step)
                .ToImage(map.to(ScalarType.Float32).flatten(2), (int)(imageSize / step));
        return cells.flatten(2).transpose(1, 2).to(ScalarType.Float32).contiguous();
    }

    private Tensor Block(Tensor x, string name, long stride)
    {
        var shortcut = weights.Find($"{name}.shortcut.weight") is null ? x : Conv(x, $"{name}.shortcut", stride);
        var inner = config.MiddleWidths.Count == 0
            ? Conv(Conv(x, $"{name}.conv1", stride).relu_(), $"{name}.conv2", 1)
            : Conv(Conv(Conv(x, $"{name}.conv1", 1).relu_(), $"{name}.conv2", stride).relu_(), $"{name}.conv3", 1);
        return inner.Plus(shortcut).relu_();
    }

    private Tensor Conv(Tensor x, string name, long stride)
    {
        var kernel = weights[$"{name}.weight"];
        return Convolution.Apply(x, kernel, weights[$"{name}.bias"], stride, padding: kernel.shape[2] / 2);
    }
}
