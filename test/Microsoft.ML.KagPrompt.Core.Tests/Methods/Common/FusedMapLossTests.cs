using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Methods.Kag;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Tests.Methods.Common;

/// <summary>Losses and gradients of maps at once, against libtorch's step by step in 64 bit.</summary>
public sealed class FusedMapLossTests : IDisposable
{
    private const float FocalWeight = 0.7f;
    private const float DiceWeight = 1.3f;

    private readonly DisposeScope scope = NewDisposeScope();

    public static TheoryData<GraphVariant, int, int, double> Cases => new()
    {
        { GraphVariant.Paper, 5, 48, 4.5 },
        { GraphVariant.Paper, 4, 30, 6.2 },
        { GraphVariant.Released, 5, 48, 4.5 },
        { GraphVariant.Released, 4, 30, 6.2 },
        { GraphVariant.Released, 1, 17, 8 },
    };

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Of_RandomLogits_EqualsTheEquationsAndTheirGradient(GraphVariant kind, int cells, int side, double first)
    {
        Skip.If(ProductTiles.WidestLanes == 0, "The processor has no instructions for it.");
        var (variant, grid) = (KagVariant.For(kind), PatchGrid.Square(cells, first, (side - 1.0) / cells));
        var (logits, masks) = (Logits(3, 4, cells), Masks(4, side));
        var found = new FusedMapLoss(grid, side, variant.MapLossForm).Of(logits, masks, FocalWeight, DiceWeight);

        var exact = logits.to_type(ScalarType.Float64).requires_grad_(true);
        var labels = tensor(new long[4]);
        var maps = variant.LayerMaps(exact, patches => Up(grid, patches, side));
        var loss = variant.Loss(zeros(4, 2), maps, masks.to_type(ScalarType.Float64), labels, FocalWeight, DiceWeight);
        (loss.Total - loss.CrossEntropy).backward();
        found.Focal.Value().Should().BeApproximately(loss.Focal.Value(), 1e-5f * loss.Focal.Value());
        found.Dice.Value().Should().BeApproximately(loss.Dice.Value(), 1e-5f * loss.Dice.Value());
        var largest = exact.grad!.abs().max().Value();
        largest.Should().BeGreaterThan(1e-4f, "or nothing was compared");
        // Where a probability is all but 1, what is left to 1 has few digits.
        found.Gradient.ShouldBeClose(exact.grad!, 3e-4 * largest, "the gradient");
        found.Agreement.Should().BeApproximately(maps.mean([0]).gt(0.5).eq(masks.gt(0.5)).to_type(ScalarType.Float32).mean().Value(), 1e-6f);
    }

    [SkippableFact]
    public void Of_AnyNumberOfThreads_IsTheSameBits()
    {
        Skip.If(ProductTiles.WidestLanes == 0, "The processor has no instructions for it.");
        var (logits, masks) = (Logits(4, 5, 6), Masks(5, 50));
        var loss = new FusedMapLoss(PatchGrid.Tiling(6, 50), 50, new(IsSigmoidOfCells: true, 1, 1));
        var before = get_num_threads();
        try
        {
            float[] Of(int threads)
            {
                set_num_threads(threads);
                var found = loss.Of(logits, masks, FocalWeight, DiceWeight);
                return [.. found.Gradient.data<float>().ToArray(), found.Focal.Value(), found.Dice.Value(), found.Agreement];
            }

            Of(2).Should().Equal(Of(1));
        }
        finally
        {
            set_num_threads(before);
        }
    }

    [SkippableTheory]
    [InlineData(true)]
    [InlineData(false)]
    public void Of_LogitThatIsNoNumber_GivesALossThatIsNone(bool ofCells)
    {
        Skip.If(ProductTiles.WidestLanes == 0, "The processor has no instructions for it.");
        var logits = Logits(1, 2, 4);
        logits[0, 1, 5] = float.NaN;
        var found = new FusedMapLoss(PatchGrid.Tiling(4, 30), 30, new(ofCells, 1, 0)).Of(logits, Masks(2, 30), 1, 1);
        found.Focal.Value().Should().Be(float.NaN);
        found.Dice.Value().Should().Be(float.NaN);
        found.Gradient[0, 1, 5].Value().Should().Be(float.NaN);
        found.Gradient[0, 0].isfinite().all().item<bool>().Should().BeTrue("another image has its own");
    }

    public void Dispose() => scope.Dispose();

    /// <summary>Some so far from 0 that nothing but the smoothing keeps their logarithm from being infinite.</summary>
    private static Tensor Logits(int maps, int images, int cells)
    {
        using var random = new Generator(7);
        var logits = randn([maps, images, cells * cells], generator: random) * 4;
        logits[0, 0, 0] = 60;
        logits[0, 1, 0] = -60;
        return logits;
    }

    /// <summary>A block in every image but the first.</summary>
    private static Tensor Masks(int images, int side)
    {
        var masks = zeros(images, side, side);
        for (var i = 1; i < images; i++)
        {
            masks[i].narrow(0, i, side / 2).narrow(1, 2, side / 3).fill_(1);
        }

        return masks;
    }

    /// <summary>By products of whole matrices, in 64 bit.</summary>
    private static Tensor Up(PatchGrid grid, Tensor patches, int side)
    {
        var (down, across) = grid.Weights(side, side);
        var cells = patches.reshape(-1, grid.Rows, grid.Columns);
        var pixels = tensor(down, [side, grid.Rows]).to_type(ScalarType.Float64).matmul(cells)
            .matmul(tensor(across, [side, grid.Columns]).to_type(ScalarType.Float64).t());
        return pixels.reshape([.. patches.shape[..^1], side, side]);
    }
}
