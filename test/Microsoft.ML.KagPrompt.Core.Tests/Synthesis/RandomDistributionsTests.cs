namespace Microsoft.ML.KagPrompt.Synthesis;

public class RandomDistributionsTests
{
    private const int Draws = 200_000;

    [Theory]
    [InlineData(1.0, 0.5)]
    [InlineData(-3.0, 2.0)]
    public void NextNormal_ManyDraws_HaveTheMoments(double mean, double deviation)
    {
        var random = new Random(1);
        var draws = Enumerable.Range(0, Draws).Select(_ => random.NextNormal(mean, deviation)).ToArray();

        draws.Average().Should().BeApproximately(mean, 0.02 * deviation);
        Moment(draws, 2).Should().BeApproximately(deviation * deviation, 0.02 * deviation * deviation);
        draws.Count(value => Math.Abs(value - mean) < deviation).Should().BeCloseTo((int)(0.6827 * Draws), (uint)(0.01 * Draws));
    }

    [Theory]
    [InlineData(2.0, 0.05)]
    [InlineData(1.0, 3.0)]
    public void NextGamma_ManyDraws_HaveTheMoments(double shape, double scale)
    {
        var random = new Random(2);
        var draws = Enumerable.Range(0, Draws).Select(_ => random.NextGamma(shape, scale)).ToArray();

        draws.Should().OnlyContain(value => value > 0);
        draws.Average().Should().BeApproximately(shape * scale, 0.02 * shape * scale);
        Moment(draws, 2).Should().BeApproximately(shape * scale * scale, 0.04 * shape * scale * scale);
        Moment(draws, 3).Should().BeApproximately(2 * shape * Math.Pow(scale, 3), 0.2 * shape * Math.Pow(scale, 3));
    }

    private static double Moment(double[] draws, int power)
    {
        var mean = draws.Average();
        return draws.Average(value => Math.Pow(value - mean, power));
    }
}
