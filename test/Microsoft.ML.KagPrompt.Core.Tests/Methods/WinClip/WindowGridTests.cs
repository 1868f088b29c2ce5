using Microsoft.ML.KagPrompt.Methods.WinClip;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Methods.WinClip;

public sealed class WindowGridTests : IDisposable
{
    private readonly DisposeScope scope = torch.NewDisposeScope();
    private readonly Random random = new(7);

    [Theory]
    [InlineData(3, 2)]
    [InlineData(3, 3)]
    [InlineData(7, 2)]
    [InlineData(5, 4)]
    public void HarmonicMean_RandomScores_EqualsLoops(int side, int scale)
    {
        var grid = new WindowGrid(side, scale);
        var scores = Enumerable.Range(0, 2 * grid.Steps * grid.Steps).Select(_ => (float)random.NextDouble()).ToArray();

        var actual = grid.HarmonicMean(torch.tensor(scores, [2, grid.Steps * grid.Steps]));

        var expected = new float[2 * side * side];
        for (var place = 0; place < expected.Length; place++)
        {
            var (image, row, column) = (place / (side * side), place / side % side, place % side);
            var holding = (from top in Enumerable.Range(0, grid.Steps) from left in Enumerable.Range(0, grid.Steps)
                           where top <= row && row < top + scale && left <= column && column < left + scale
                           select (double)scores[(image * grid.Steps * grid.Steps) + (top * grid.Steps) + left]).ToArray();
            expected[place] = (float)(holding.Length / holding.Sum(score => 1 / score));
        }

        actual.ShouldBeClose(torch.tensor(expected, [2, side * side]), 1e-6, $"{scale} of {side}");
    }

    [Fact]
    public void HarmonicMean_ScoreOfZeroOrRoundedBelow_ClearsItsPatchesAlone()
    {
        var scores = Enumerable.Repeat(0.5f, 4 * 4).ToArray();
        (scores[0], scores[15]) = (0, -1e-7f);

        var values = new WindowGrid(5, 2).HarmonicMean(torch.tensor(scores, [1, 16])).data<float>().ToArray();

        long[] cleared = [0, 1, 5, 6, 18, 19, 23, 24];
        for (var patch = 0; patch < values.Length; patch++)
        {
            values[patch].Should().BeApproximately(cleared.Contains(patch) ? 0 : 0.5f, 1e-6f, $"patch {patch}");
        }
    }

    [Fact]
    public void PatchIndices_ThreeOfFour_RunRowByRow()
    {
        var indices = new WindowGrid(4, 3).PatchIndices();
        indices.GetLength(0).Should().Be(4);
        Enumerable.Range(0, 9).Select(patch => indices[1, patch]).Should().Equal(1, 2, 3, 5, 6, 7, 9, 10, 11);
        Enumerable.Range(0, 9).Select(patch => indices[2, patch]).Should().Equal(4, 5, 6, 8, 9, 10, 12, 13, 14);
    }

    [Fact]
    public void Holding_OnePatch_AreTheWindowsAroundIt()
        => new WindowGrid(4, 2).Holding([5]).Should().Equal(0, 1, 3, 4);

    public void Dispose() => scope.Dispose();
}
