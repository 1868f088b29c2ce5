using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Methods.Common;

public class GaussianBlurTests
{
    [Theory]
    [InlineData(5, 40, 4)]
    [InlineData(33, 7, 4)]
    [InlineData(12, 12, 1.5)]
    [InlineData(1, 3, 4)]
    public void Apply_AnySides_EqualsLoopsThatMirror(int rows, int columns, double sigma)
    {
        using var scope = torch.NewDisposeScope();
        var map = torch.rand(rows, columns);
        var values = map.data<float>().ToArray();
        var radius = (int)((4 * sigma) + 0.5);
        double Weight(int x) => Math.Exp(-0.5 * x * x / (sigma * sigma));
        var sum = Enumerable.Range(-radius, (2 * radius) + 1).Sum(Weight);
        static int Inside(int place, int side)
        {
            while (place < 0 || place >= side)
            {
                place = place < 0 ? -place - 1 : (2 * side) - place - 1;
            }

            return place;
        }

        var expected = from row in Enumerable.Range(0, rows)
                       from column in Enumerable.Range(0, columns)
                       select (float)Enumerable.Range(-radius, (2 * radius) + 1).Sum(y => Enumerable.Range(-radius, (2 * radius) + 1).Sum(x
                           => Weight(x) * Weight(y) / (
                               sum * sum) * values[(Inside(row + y, rows) * columns) + Inside(column + x, columns)]));
        GaussianBlur.Apply(map, sigma).ShouldBeClose(torch.tensor(expected.ToArray(), [rows, columns]), 1e-6, "as SciPy's gaussian_filter");
    }

    [Fact]
    public void Apply_InspectedPart_DependsOnNothingElse()
    {
        using var scope = torch.NewDisposeScope();
        bool[] inspected = [.. Enumerable.Range(0, 400).Select(p => p % 20 < 12)];
        var map = torch.rand(20, 20);
        var other = map.clone();
        other.narrow(1, 12, 8).fill_(1e6);
        var blurred = GaussianBlur.Apply(map, 2, inspected);
        GaussianBlur.Apply(other, 2, inspected).ShouldBeClose(blurred, 0, "what is not inspected does not count");
        GaussianBlur.Apply(torch.ones(20, 20), 2, inspected).narrow(1, 0, 12)
            .ShouldBeClose(torch.ones(20, 12), 1e-5, "weights are made whole near the border");
        blurred.narrow(1, 12, 8).abs().max().ToSingle().Should().Be(0);
    }
}
