using Microsoft.ML.KagPrompt.Tests.Methods.Cells;

namespace Microsoft.ML.KagPrompt.Tests.Methods.Rad;

/// <summary>The nearest normal patch of those that lay near.</summary>
public class RadTests
{
    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 1)]
    [InlineData(3, 2)]
    public void Score_RandomFeatures_EqualsPlainNumbers(int supports, int radius)
    {
        using var random = new ScorerCase(supports, seed: 11);
        var options = new RadOptions { Radius = radius, MapSigma = 2, TopShare = 0.1f };
        using var method = options.Create(ScorerCase.Start);
        random.ShouldAgree(method, 2, 0.1f, (feature, cell) => random.Supports.SelectMany(cells => cells.Index())
            .Where(normal => Math.Abs((normal.Index / ScorerCase.Grid) - (cell / ScorerCase.Grid)) <= radius
                && Math.Abs((normal.Index % ScorerCase.Grid) - (cell % ScorerCase.Grid)) <= radius)
            .Min(normal => 1 - NaiveCells.Cosine(feature, normal.Item)));
    }
}
