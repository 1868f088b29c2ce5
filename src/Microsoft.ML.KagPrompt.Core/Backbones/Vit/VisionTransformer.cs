using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Numerics;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.KagPrompt.Backbones.Vit;

/// <summary>A vision transformer (ViT) of any size with taps after chosen blocks: ImageBind's and CLIP's image towers.</summary>
internal sealed partial class VisionTransformer : IVisionTower
{
    public const string FamilyName = "vit";

    private readonly VisionTransformerConfig config;
    private readonly WeightSet weights;

    /// <summary>Takes over the weights, which <see cref="Shapes"/> names.</summary>
    public VisionTransformer(VisionTransformerConfig config, WeightSet weights)
    {
        config.Validate();
        (this.config, this.weights) = (config, weights);
        Info = new VisionTowerInfo
        {
            PatchSize = config.PatchSize,
            TapWidths = [.. config.TappedBlocks.Select(_ => config.Width)],
            JointWidth = config.JointWidth,
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
    public static IReadOnlyDictionary<string, long[]> Shapes(VisionTransformerConfig config)
    {
        config.Validate();
        var side = config.ImageSize / config.PatchSize;
        var shapes = new List<(string Name, long[] Shape)>
        {
            ("stem.weight", [config.Width, 3, config.PatchSize, config.PatchSize]),
            ("class_token", [config.Width]),
            ("positions", [1 + (side * side), config.Width]),
            ("norm.weight", [config.Width]), ("norm.bias", [config.Width]),
        };
        if (config.Head)
        {
            shapes.Add(("head.weight", [config.JointWidth, config.Width]));
        }

        if (config.Registers > 0)
        {
            shapes.Add(("registers", [config.Registers, config.Width]));
        }

        if (config.StemBias)
        {
            shapes.Add(("stem.bias", [config.Width]));
        }

        if (config.NormBeforeTrunk)
        {
            shapes.AddRange([("norm_pre.weight", [config.Width]), ("norm_pre.bias", [config.Width])]);
        }

        shapes.AddRange(Enumerable.Range(0, config.Depth).SelectMany(i => config.Blocks.Shapes($"blocks.{i}.")));
        return shapes.ToDictionary(shape => shape.Name, shape => shape.Shape);
    }

    public VisionFeatures Encode(Tensor images, bool forPrompt = true)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var patches = images.shape[2] / config.PatchSize * (images.shape[3] / config.PatchSize);
        var x = BeforeTrunk(Placed(images));
        var tapped = new Dictionary<int, Tensor>();
        for (var i = 0; i < config.Depth; i++)
        {
            // A tap below is a view or a copy, and lives on.
            using var before = x;
            x = config.Blocks.Forward(x, weights, $"blocks.{i}.");
            if (config.TappedBlocks.Contains(i))
            {
                tapped[i] = x.narrow(1, 1 + config.Registers, patches).to(ScalarType.Float32).contiguous();
            }
        }

        var embedding = Joint(x).UnitLength(-1);                                               // [B, C']
        return new VisionFeatures([.. config.TappedBlocks.Select(i => tapped[i].MoveToOuterDisposeScope())],
            embedding.MoveToOuterDisposeScope());
    }

    public void MoveTo(Device device) => weights.MoveTo(device);

    public void Dispose() => weights.Dispose();

    /// <summary>The class token and the patches at their positions: [B, 1 + L, D].</summary>
    private Tensor Placed(Tensor images)
    {
        var (batch, side) = (images.shape[0], images.shape[2] / config.PatchSize);
        var patches = Convolution
            .Apply(images.to(weights.Type), weights["stem.weight"], weights.Find("stem.bias"), stride: config.PatchSize)
            .flatten(2).transpose(1, 2);                                                      // [B, L, D]
        return cat([weights["class_token"].expand(batch, 1, config.Width), patches], 1).Plus(Positions(side));
    }

    /// <summary>Placed tokens as the first block takes them: with registers, normed where the family does.</summary>
    private Tensor BeforeTrunk(Tensor placed)
    {
        var x = placed;
        if (config.Registers > 0)
        {
            var registers = weights["registers"].expand(placed.shape[0], config.Registers, config.Width);
            x = cat([placed.narrow(1, 0, 1), registers, placed.narrow(1, 1, placed.shape[1] - 1)], 1);
        }

        return config.NormBeforeTrunk ? TransformerBlocks.Norm(x, weights, "norm_pre", config.Epsilon) : x;
    }

    /// <summary>The class token after all blocks in the joint space, of any length: [B, C'].</summary>
    private Tensor Joint(Tensor x)
    {
        var token = TransformerBlocks.Norm(x.select(1, 0), weights, "norm", config.Epsilon);
        return (config.Head ? TransformerBlocks.Linear(token, weights, "head") : token).to(ScalarType.Float32);
    }

    /// <summary>Learned positions, resampled (bicubic) when the grid differs from the one they were learned at: [1 + L, D].</summary>
    internal Tensor Positions(long side)
    {
        var learned = weights["positions"];
        var learnedSide = config.ImageSize / config.PatchSize;
        if (side == learnedSide)
        {
            return learned;
        }

        var grid = learned.narrow(0, 1, learned.shape[0] - 1).to(ScalarType.Float32).view(1, learnedSide, learnedSide, config.Width)
            .permute(0, 3, 1, 2);
        var factor = (side + 0.1) / learnedSide;
        var resampled = config.Resampling == PositionResampling.BicubicOffset
            ? functional.interpolate(grid, scale_factor: [factor, factor], mode: InterpolationMode.Bicubic, align_corners: false)
            : functional.interpolate(grid, [side, side], mode: InterpolationMode.Bicubic, align_corners: false,
                antialias: config.Resampling == PositionResampling.BicubicAntialias);
        return cat([learned.narrow(0, 0, 1), resampled.flatten(2).squeeze(0).t().to(learned.dtype)], 0);
    }
}
