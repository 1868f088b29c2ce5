using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Numerics;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.KagPrompt.Backbones.Residual;

/// <summary>
/// The stem and first stages of a residual network, batch normalisation folded into its convolutions. Each tapped stage's map is a layer of
/// patch tokens on a grid of its own; the last one's mean is the image embedding.
/// </summary>
internal sealed class ResidualNetwork : IStageTower
{
    public const string FamilyName = "resnet";

    private readonly ResidualNetworkConfig config;
    private readonly WeightSet weights;

    /// <summary>Takes over the weights, which <see cref="Shapes"/> names.</summary>
    public ResidualNetwork(ResidualNetworkConfig config, WeightSet weights)
    {
        (this.config, this.weights) = (config, weights);
        Info = new VisionTowerInfo
        {
            PatchSize = config.Step,
            TapWidths = [.. config.Taps.Select(tap => config.StageWidths[tap - 1])],
            TapSteps = [.. config.Taps.Select(_ => config.Step)],
            TapShifts = [.. config.Taps.Select(tap => (Place(tap, config.LooksDown), Place(tap, config.LooksRight)))],
            JointWidth = config.StageWidths[^1],
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

        return shapes;
    }

    IReadOnlyList<StageInfo> IStageTower.Stages => [.. config.StageWidths.Select((width, i) => new StageInfo(width, ResidualNetworkConfig.StrideOf(i + 1)))];

    public IReadOnlyList<Tensor> EncodeStages(Tensor images)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        return [.. Stages(images.to(weights.Type)).Select(map => map.to(ScalarType.Float32).MoveToOuterDisposeScope())];
    }

    public VisionFeatures Encode(Tensor images)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var maps = Stages(images.to(weights.Type));
        var taps = config.Taps.Select(tap => Tokens(maps[tap - 1], ResidualNetworkConfig.StrideOf(tap), images.shape[2] / config.Step)).ToArray();
        var embedding = maps[^1].to(ScalarType.Float32).mean([2, 3]).UnitLength(-1);
        return new VisionFeatures([.. taps.Select(tokens => tokens.MoveToOuterDisposeScope())], embedding.MoveToOuterDisposeScope());
    }

    /// <summary>The stages' maps [B, W_i, S / stride, S / stride]; with gradients where the weights ask for them.</summary>
    public IReadOnlyList<Tensor> Stages(Tensor images)
    {
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

    public void MoveTo(Device device) => weights.MoveTo(device);

    public void Dispose() => weights.Dispose();

    /// <summary>
    /// From the middle of a cell's tile to where it looks. Padding is that of odd kernels before even strides: a stage's first cell looks at pixel 0, the next
    /// one a stride further, and a mean over cells at their middle; then what was measured.
    /// </summary>
    private double Place(int tap, IReadOnlyList<double> looks)
        => (Math.Max(0, config.Step - ResidualNetworkConfig.StrideOf(tap)) / 2.0) - ((config.Step - 1) / 2.0) + looks.ElementAtOrDefault(tap - 1);

    /// <summary>A stage's map as tokens [B, side², W]: averaged over the stage's cells, or read linearly between them.</summary>
    private Tensor Tokens(Tensor map, int stride, long side)
    {
        var cells = stride < config.Step ? functional.avg_pool2d(map, config.Step / stride)
            : stride == config.Step ? map
            : PatchGrid.Square((int)map.shape[2], 0, (double)stride / config.Step).ToImage(map.to(ScalarType.Float32).flatten(2), (int)side);
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
