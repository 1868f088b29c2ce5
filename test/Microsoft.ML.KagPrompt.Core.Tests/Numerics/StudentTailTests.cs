using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Tests.Numerics;

public class StudentTailTests
{
    // Printed tables of Student's t, to their last digit.
    [Theory]
    [InlineData(0.5, 4, 0.0, 5e-5)]
    [InlineData(0.25, 1, 1.0, 5e-5)]
    [InlineData(0.05, 1, 6.3138, 5e-5)]
    [InlineData(0.05, 2, 2.9200, 5e-5)]
    [InlineData(0.05, 3, 2.3534, 5e-5)]
    [InlineData(0.05, 10, 1.8125, 5e-5)]
    [InlineData(0.05, 30, 1.6973, 5e-5)]
    [InlineData(0.01, 1, 31.8205, 5e-5)]
    [InlineData(0.01, 3, 4.5407, 5e-5)]
    [InlineData(0.01, 5, 3.3649, 5e-5)]
    [InlineData(0.001, 1, 318.309, 5e-4)]
    [InlineData(0.001, 3, 10.215, 5e-4)]
    [InlineData(0.0005, 1, 636.619, 5e-4)]
    [InlineData(0.0005, 5, 6.869, 5e-4)]
    [InlineData(0.0005, 10, 4.587, 5e-4)]
    public void Quantile_PrintedTable_AgreesToTheLastDigit(double tail, int degrees, double expected, double digit)
        => StudentTail.Quantile(tail, degrees).Should().BeApproximately(expected, digit);

    // One and two degrees of freedom have a closed form, which reaches where tables end.
    [Theory]
    [InlineData(1e-4)]
    [InlineData(1e-6)]
    public void Quantile_FarTail_AgreesWithTheClosedForms(double tail)
    {
        var (one, two) = (1 / Math.Tan(Math.PI * tail), (1 - (2 * tail)) / Math.Sqrt(2 * tail * (1 - tail)));
        StudentTail.Quantile(tail, 1).Should().BeApproximately(one, 1e-6 * one);
        StudentTail.Quantile(tail, 2).Should().BeApproximately(two, 1e-6 * two);
    }
}
