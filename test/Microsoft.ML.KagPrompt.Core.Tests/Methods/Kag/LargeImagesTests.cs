using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Methods.Kag;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.TestSupport;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Tests.Methods.Kag;

/// <summary>Images of 1022 pixels have 73 × 73 patches of 14: what grows with the square of them is made in blocks.</summary>
[Collection(LargeImages)]
public sealed class LargeImagesTests
{
    public const string LargeImages = "large images";

    private const int Grid = 73;
    private const int Patches = Grid * Grid;

    [SkippableTheory]
    [InlineData(GraphVariant.Paper, false)]
    [InlineData(GraphVariant.Paper, true)]
    [InlineData(GraphVariant.Released, true)]
    public void Nodes_ManyPatches_KeepFarFewerThanAllEdges(GraphVariant variant, bool byLibtorch)
    {
        ProductTiles.IsLeftOut = byLibtorch;
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var prompt = new GraphPrompt(
            new GraphPromptConfig { Variant = variant, TapWidths = [4, 4, 4, 4], JointWidth = 8, Iterations = 1 }, seed: 3);
        var tokens = Enumerable.Range(0, 4).Select(_ => randn(1, Patches, 4)).ToArray();
        var grown = ResidentMemory.Growth(() => prompt.Nodes(tokens).Dispose());
        // Of six lines alone the edges take 681 MB, and as much again for each of their two softmaxes.
        grown.Should().BeLessThan(600L << 20);
    }

    [SkippableFact]
    public void Compare_ManyPatches_KeepsFarFewerThanAllSimilarities()
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var supports = Enumerable.Range(0, 4).Select(_ => (IReadOnlyList<TorchSharp.torch.Tensor>)[randn(1, Patches, 16)]).ToArray();
        using var bank = MemoryBank.Build(supports);
        long[] cells = [.. Enumerable.Range(0, 4).SelectMany(_ => Enumerable.Range(0, Patches).Select(cell => (long)cell))];
        var query = randn(1, Patches, 16);
        var grown = ResidentMemory.Growth(() =>
        {
            using var inner = NewDisposeScope();
            using var near = NearMatches.Build(bank.Layers, [cells], [PatchGrid.Tiling(Grid, Grid * 14)]);
            near.Distances([query]);
            bank.Compare([query]);
        });
        // All similarities take 454 MB.
        grown.Should().BeLessThan(300L << 20);
    }
}

/// <summary>Memory is the whole process's: nothing else runs beside these.</summary>
[CollectionDefinition(LargeImagesTests.LargeImages, DisableParallelization = true)]
public sealed class LargeImagesAlone;
