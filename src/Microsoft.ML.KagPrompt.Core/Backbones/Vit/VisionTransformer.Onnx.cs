using Microsoft.ML.KagPrompt.Onnx;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Backbones.Vit;

/// <content>The same in ONNX operators.</content>
internal sealed partial class VisionTransformer : IVisionGraph, IWindowGraph, IValuePathGraph
{
    public VisionValues Emit(OnnxValue images, int imageSize)
    {
        var side = imageSize / config.PatchSize;
        var x = BeforeTrunk(Placed(images, side), side * side);
        var tapped = new Dictionary<int, OnnxValue>();
        for (var i = 0; i < config.Depth; i++)
        {
            x = config.Blocks.Emit(x, weights, $"blocks.{i}.");
            tapped[i] = Patches(x, side * side);
        }

        OnnxValue[] taps = [.. config.TappedBlocks.Select(i => tapped[i])];
        return new(taps, Joint(x).UnitLength(-1), taps);
    }

    public WindowValues EmitWindows(OnnxValue images, int imageSize, IReadOnlyList<long[,]> windows)
    {
        var side = imageSize / config.PatchSize;
        var patches = side * side;
        var placed = Placed(images, side);
        var whole = Trunk(placed, patches);
        return new(Joint(whole), TransformerBlocks.Norm(Patches(whole, patches), weights, "norm", config.Epsilon),
            [.. windows.Select(kind => Windows(placed.Narrow(1, 0, 1), placed.Narrow(1, 1, patches), kind))]);
    }

    public ValuePathValues EmitValuePath(OnnxValue images, int imageSize, IReadOnlyList<int> attended)
    {
        var side = imageSize / config.PatchSize;
        var original = BeforeTrunk(Placed(images, side), side * side);
        var value = original;
        var kept = new OnnxValue[config.Depth];
        for (var i = 0; i < config.Depth; i++)
        {
            var step = config.Blocks.Emit(original, value, weights, $"blocks.{i}.");
            kept[i] = Patches(step.Attended, side * side);
            (original, value) = (step.Original, i < config.Depth - ValueBlocks ? step.Original : step.Value);
        }

        var patches = TransformerBlocks.Norm(Patches(value, side * side), weights, "norm", config.Epsilon);
        return new(Joint(original), config.Head ? TransformerBlocks.Linear(patches, weights, "head") : patches,
            [.. attended.Select(block => kept[block])]);
    }

    /// <summary>[N, 1, D], [N, L, D] and the patches of n windows [n, m] → [N, n, C'].</summary>
    private OnnxValue Windows(OnnxValue classes, OnnxValue patches, long[,] kind)
    {
        var (count, size) = (kind.GetLength(0), kind.GetLength(1));
        var rows = patches.Gather(1, [.. kind.Cast<long>()]).Reshape(-1, size, config.Width);
        var starts = classes.Gather(1, new long[count]).Reshape(-1, 1, config.Width);
        return Joint(Trunk(new[] { starts, rows }.Concat(1), size)).Reshape(-1, count, config.JointWidth);
    }

    private OnnxValue Trunk(OnnxValue placed, long patches) => Enumerable.Range(0, config.Depth)
        .Aggregate(BeforeTrunk(placed, patches), (x, i) => config.Blocks.Emit(x, weights, $"blocks.{i}."));

    private OnnxValue Placed(OnnxValue images, int side)
    {
        using var scope = NewDisposeScope();
        var patches = images.Conv(weights["stem.weight"], weights.Find("stem.bias"), stride: config.PatchSize).Tokens();
        var token = images.Graph.Weight(weights["class_token"].view(1, config.Width)).ForEach(1, config.Width, images);
        return new[] { token, patches }.Concat(1) + images.Graph.Weight(Positions(side));
    }

    private OnnxValue BeforeTrunk(OnnxValue placed, long patches)
    {
        var x = placed;
        if (config.Registers > 0)
        {
            var registers = placed.Graph.Weight(weights["registers"]).ForEach(config.Registers, config.Width, placed);
            x = new[] { placed.Narrow(1, 0, 1), registers, placed.Narrow(1, 1, patches) }.Concat(1);
        }

        return config.NormBeforeTrunk ? TransformerBlocks.Norm(x, weights, "norm_pre", config.Epsilon) : x;
    }

    private OnnxValue Joint(OnnxValue x)
    {
        var token = TransformerBlocks.Norm(x.Select(1, 0), weights, "norm", config.Epsilon);
        return config.Head ? TransformerBlocks.Linear(token, weights, "head") : token;
    }

    private OnnxValue Patches(OnnxValue tokens, long patches) => tokens.Narrow(1, 1 + config.Registers, patches);
}
