using FluentAssertions;
using Xunit;

namespace Microsoft.ML.KagPrompt.Reporting.Tests;

public sealed class OutlineTests
{
    [Theory]
    [InlineData(1, 13, 11, 1)]
    [InlineData(2, 13, 11, 2)]
    [InlineData(3, 20, 1, 1)]
    [InlineData(4, 1, 20, 3)]
    [InlineData(5, 25, 25, 3)]
    public void Of_RandomPixels_AreThoseNearTheOtherKind(int seed, int width, int height, int thickness)
    {
        var random = new Random(seed);
        for (var turn = 0; turn < 10; turn++)
        {
            var inside = Enumerable.Range(0, width * height).Select(_ => random.Next(4) > 0).ToArray();
            bool Inside(int x, int y) => x >= 0 && y >= 0 && x < width && y < height && inside[(y * width) + x];

            var marks = Outline.Trace(inside, width, height, thickness);

            for (var p = 0; p < inside.Length; p++)
            {
                var (x, y) = (p % width, p / width);
                var near = Enumerable.Range(-thickness, (2 * thickness) + 1).SelectMany(dx => Enumerable.Range(-thickness, (2 * thickness) + 1).Select(dy => (dx, dy)))
                    .Any(step => Math.Abs(step.dx) + Math.Abs(step.dy) <= thickness && Inside(x + step.dx, y + step.dy) != inside[p]);
                marks[p].Should().Be(!near ? Outline.None : inside[p] ? Outline.Line : Outline.Casing, $"of pixel {x}, {y}");
            }
        }
    }
}
