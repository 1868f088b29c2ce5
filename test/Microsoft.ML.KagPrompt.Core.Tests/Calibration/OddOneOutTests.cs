using Microsoft.ML.KagPrompt.Calibration;

namespace Microsoft.ML.KagPrompt.Tests.Calibration;

public class OddOneOutTests
{
    [Theory]
    [InlineData(3, 1)]
    [InlineData(7, 15)]
    [InlineData(15, 15)]
    public void IsFarAbove_SoundImagesAlone_NamesOneInAHundredSetsAtMost(int others, int fewest)
    {
        // Scores whose logarithms are normal: the rule says 1 set in 100, and fewer where so few may lie close together by chance.
        var random = new Random(others);
        double Normal() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        float Draw() => (float)Math.Exp(-3 + (0.3 * Normal()));
        var named = Enumerable.Range(0, 4000).Count(_ =>
        {
            var scores = Enumerable.Range(0, others + 1).Select(_ => Draw()).ToArray();
            return scores.Where((score, i) => OddOneOut.IsFarAbove(score, [.. scores.Where((_, j) => j != i)])).Any();
        });
        named.Should().BeInRange(fewest, 70, "of 4000");
    }

    [Fact]
    public void IsFarAbove_AnyScale_TellsTheFarOneFromTheNear()
    {
        foreach (var scale in (float[])[0.01f, 1, 50])
        {
            float[] others = [1 * scale, 1.1f * scale, 0.95f * scale, 1.05f * scale, 1.02f * scale];
            OddOneOut.IsFarAbove(3 * scale, others).Should().BeTrue();
            OddOneOut.IsFarAbove(1.12f * scale, others).Should().BeFalse("a tenth is no distance");
            OddOneOut.IsFarAbove(0.1f * scale, others).Should().BeFalse("below is no defect");
        }
    }
}
