using System.Runtime.Intrinsics;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Tests.Numerics;

public unsafe class ExponentialsTests
{
    [Fact]
    public void Exp_FromSmallestToLargest_IsThePowerOfE()
    {
        for (var x = -87f; x <= 88; x += 0.0137f)
        {
            var right = Math.Exp(x);
            (Math.Abs(Exponentials.Exp(Vector512.Create(x))[7] - right) / right).Should().BeLessThan(2e-7, $"e^{x}");
        }
    }

    [Theory]
    [InlineData(-1e30f, 1.6458115e-38)]
    [InlineData(float.NegativeInfinity, 1.6458115e-38)]
    [InlineData(float.PositiveInfinity, 1.6516363e38)]
    [InlineData(float.NaN, double.NaN)]
    public void Exp_BeyondItsRange_IsItsEndsOrNaN(float x, double expected)
    {
        var value = (double)Exponentials.Exp(Vector512.Create(x))[15];
        if (double.IsNaN(expected))
        {
            value.Should().Be(double.NaN);
        }
        else
        {
            (value / expected).Should().BeApproximately(1, 1e-6);
        }
    }

    [Fact]
    public void SigmoidAndTanh_AnyNumber_AreThose()
    {
        foreach (var x in new[] { float.NegativeInfinity, -1e9f, -91, -20, -3.3f, -1e-3f, 0, 1e-3f, 0.7f, 8, 60, 1e9f, float.PositiveInfinity })
        {
            Exponentials.Sigmoid(Vector512.Create(x))[0].Should().BeApproximately((float)(1 / (1 + Math.Exp(-x))), 2e-7f, $"σ({x})");
            Exponentials.Tanh(Vector512.Create(x))[0].Should().BeApproximately((float)Math.Tanh(x), 2e-7f, $"tanh {x}");
        }

        float.IsNaN(Exponentials.Tanh(Vector512.Create(float.NaN))[0]).Should().BeTrue();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(100)]
    public void Softmax_AnyCount_SharesOneAndLeavesWhatIsBeyond(int count)
    {
        var random = new Random(count);
        var values = Enumerable.Range(0, 128).Select(_ => (float)((random.NextDouble() * 40) - 1020)).ToArray();
        var powers = values.Take(count).Select(value => Math.Exp(value + 1000.0)).ToArray();
        var beyond = values[((count + 15) / 16 * 16)..];
        fixed (float* first = values)
        {
            Exponentials.Softmax(first, count);
        }

        for (var i = 0; i < count; i++)
        {
            ((double)values[i]).Should().BeApproximately(powers[i] / powers.Sum(), 1e-6);
        }

        values[count..((count + 15) / 16 * 16)].Should().AllBeEquivalentTo(0f);
        values[((count + 15) / 16 * 16)..].Should().Equal(beyond);
    }

    [Fact]
    public void Softmax_NaNAnywhere_IsNaNEverywhere()
    {
        for (var place = 0; place < 20; place++)
        {
            var values = new float[32];
            values[place] = float.NaN;
            fixed (float* first = values)
            {
                Exponentials.Softmax(first, 20);
            }

            values.Take(20).Should().AllSatisfy(value => float.IsNaN(value).Should().BeTrue());
        }
    }
}
