using Microsoft.ML.KagPrompt.Backbones.Tiled;

namespace Microsoft.ML.KagPrompt.Tests.Backbones.Tiled;

/// <summary>Where tiles lie, and which of their cells are kept.</summary>
public sealed class TileLayoutTests
{
    [Theory]
    [InlineData(224, 2, 8, 168, 392)]
    [InlineData(224, 3, 14, 168, 560)]
    [InlineData(224, 2, 16, 160, 384)]
    [InlineData(224, 1, 16, 160, 224)]
    [InlineData(32, 2, 32, 32, 64)]
    public void Create_Sides_OverlapByAQuarterOnWholePatches(int side, int perSide, int patch, int stride, int whole)
    {
        var layout = TileLayout.Create(side, perSide, patch);
        layout.Stride.Should().Be(stride);
        layout.Whole.Should().Be(whole);
        layout.Count.Should().Be(perSide * perSide);
    }

    [Fact]
    public void Create_TwoTowers_SuitsBoth() => TileLayout.Create(224, 2, 8, 14).Stride.Should().Be(168);

    [Theory]
    [InlineData(224, 3, 8, 8)]
    [InlineData(224, 4, 14, 14)]
    [InlineData(112, 2, 16, 8)]
    [InlineData(32, 3, 32, 32)]
    public void Kept_EveryCell_OnceFromTheTileWhereItLiesMostCentral(int side, int perSide, int patch, int step)
    {
        var layout = TileLayout.Create(side, perSide, patch);
        var kept = layout.Kept(step);
        var (cells, stride) = (side / step, layout.Stride / step);
        int[] taken = [.. kept.SelectMany((run, tile) => Enumerable.Repeat(tile, run.Count))];
        taken.Should().HaveCount(layout.Whole / step);
        for (var cell = 0; cell < taken.Length; cell++)
        {
            double FromMiddle(int tile) => Math.Abs(cell - (tile * stride) - ((cells - 1) / 2.0));
            FromMiddle(taken[cell]).Should().Be(Enumerable.Range(0, perSide).Min(FromMiddle));
            (cell - (taken[cell] * stride)).Should().BeInRange(kept[taken[cell]].First, kept[taken[cell]].First + kept[taken[cell]].Count - 1);
        }
    }
}
