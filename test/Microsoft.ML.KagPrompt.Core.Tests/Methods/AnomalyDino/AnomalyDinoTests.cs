using Microsoft.ML.KagPrompt.Tests.Methods.Cells;

namespace Microsoft.ML.KagPrompt.Tests.Methods.AnomalyDino;

/// <summary>The nearest normal patch, wherever it lay.</summary>
public class AnomalyDinoTests
{
    [Theory]
    [InlineData(1, 4f, 0.01f)]
    [InlineData(3, 1.3f, 0.2f)]
    public void Score_RandomFeatures_EqualsPlainNumbers(int supports, float sigma, float share)
    {
        using var random = new ScorerCase(supports, seed: 7);
        var options = new AnomalyDinoOptions { MapSigma = sigma, TopShare = share };
        using var method = options.Create(ScorerCase.Start);
        random.ShouldAgree(method, sigma, share, (feature, _)
            => random.Supports.SelectMany(cells => cells).Min(normal => 1 - NaiveCells.Cosine(feature, normal)));
    }
}
