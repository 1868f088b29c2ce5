using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Backbones.Vit;

/// <content>The same blocks on windows of an image.</content>
internal sealed partial class VisionTransformer : IWindowTower
{
    /// <summary>Tokens in one run of the blocks on windows: bounds what a batch of large grids holds.</summary>
    private const long TokensAtOnce = 1 << 14;

    public WindowFeatures EncodeWindows(Tensor images, IReadOnlyList<Tensor> windows)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var placed = Placed(images);                                                          // [B, 1 + L, D]
        var whole = Trunk(placed);
        var last = whole.narrow(1, 1 + config.Registers, placed.shape[1] - 1);
        var patches = TransformerBlocks.Norm(last, weights, "norm", config.Epsilon).to(ScalarType.Float32);
        return new WindowFeatures(Joint(whole).MoveToOuterDisposeScope(), patches.MoveToOuterDisposeScope(),
            [.. windows.Select(kind => Windows(placed, kind).MoveToOuterDisposeScope())]);
    }

    /// <summary>[B, 1 + L, D] and the patches of n windows [n, m] → [B, n, C'].</summary>
    private Tensor Windows(Tensor placed, Tensor kind)
    {
        using var scope = NewDisposeScope();
        var (images, count, size) = (placed.shape[0], kind.shape[0], kind.shape[1]);
        var (classes, patches) = (placed.narrow(1, 0, 1), placed.narrow(1, 1, placed.shape[1] - 1));
        var step = Math.Max(1, TokensAtOnce / (images * (1 + size)));
        var found = new List<Tensor>();
        for (var first = 0L; first < count; first += step)
        {
            using var inner = NewDisposeScope();
            var chosen = kind.narrow(0, first, Math.Min(step, count - first));
            var rows = patches.index_select(1, chosen.flatten()).view(images * chosen.shape[0], size, config.Width);
            var starts = classes.expand(images, chosen.shape[0], config.Width).reshape(images * chosen.shape[0], 1, config.Width);
            found.Add(Joint(Trunk(cat([starts, rows], 1))).view(images, chosen.shape[0], config.JointWidth).MoveToOuterDisposeScope());
        }

        return cat(found, 1).MoveToOuterDisposeScope();
    }

    /// <summary>All blocks: [N, n, D] placed tokens → [N, n, D], the registers added.</summary>
    private Tensor Trunk(Tensor placed)
    {
        var x = BeforeTrunk(placed);
        for (var i = 0; i < config.Depth; i++)
        {
            x = config.Blocks.Forward(x, weights, $"blocks.{i}.");
        }

        return x;
    }
}
