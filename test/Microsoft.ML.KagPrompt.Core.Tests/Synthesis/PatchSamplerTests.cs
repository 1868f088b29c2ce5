using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Synthesis;

namespace Microsoft.ML.KagPrompt.Tests.Synthesis;

public class PatchSamplerTests
{
    private const int Side = 10_000;
    private const int Draws = 20_000;

    private static readonly SynthesisOptions Wide = new() { MinWidth = 1e-4, MaxWidth = 0.9, MinHeight = 1e-4, MaxHeight = 0.9, MinScale = 0.5, MaxScale = 2 };

    [Fact]
    public void Cut_ManyDraws_HaveThePapersMeanWidth()
    {
        // Half a side is 0.03 + Gamma(2, 0.05), mean 0.13 and mean square 0.0219; a uniform centre loses its square to the borders.
        var sampler = new PatchSampler(Wide, Side, Side, new Random(3));
        var widths = Enumerable.Range(0, Draws).Select(_ => sampler.Cut(sourceObject: null)!.Value.Width / (double)Side).ToArray();
        widths.Average().Should().BeApproximately((2 * 0.13) - 0.0219, 0.004);
        widths.Min().Should().BeInRange(0.029, 0.04);
    }

    [Fact]
    public void Scale_ManyDraws_FollowTheClippedNormal()
    {
        // N(1, 0.5) clipped to 0.5 and 2: 15.87 % at the lower end, 2.28 % at the upper, 38.29 % within a quarter of 1.
        var sampler = new PatchSampler(Wide, Side, Side, new Random(4));
        var cut = new PixelRectangle(0, 0, 1000, 1000);
        var factors = Enumerable.Range(0, Draws).Select(_ => sampler.Scale(cut).Height / 1000.0).ToArray();
        factors.Count(factor => factor <= 0.501).Should().BeCloseTo((int)(0.1587 * Draws), (uint)(0.01 * Draws));
        factors.Count(factor => factor >= 1.999).Should().BeCloseTo((int)(0.0228 * Draws), (uint)(0.01 * Draws));
        factors.Count(factor => Math.Abs(factor - 1) < 0.25).Should().BeCloseTo((int)(0.3829 * Draws), (uint)(0.01 * Draws));
    }
}
