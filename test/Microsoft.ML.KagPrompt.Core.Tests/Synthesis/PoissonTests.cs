using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Synthesis;

public class PoissonTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 9)]
    [InlineData(13, 1)]
    [InlineData(31, 18)]
    public void Solve_RandomRightHandSides_LaplacianOfTheSolutionGivesThemBack(int width, int height)
    {
        var random = new Random(width + height);
        var rightHandSides = Enumerable.Range(0, 2 * width * height).Select(_ => random.NextDouble() - 0.5).ToArray();
        var solution = (double[])rightHandSides.Clone();

        PoissonSolver.Solve(solution, width, height);

        for (var i = 0; i < solution.Length; i++)
        {
            var (x, y, rectangle) = (i % width, i / width % height, i / (width * height) * width * height);
            double At(int column, int row) => column < 0 || row < 0 || column == width || row == height ? 0 : solution[rectangle + (row * width) + column];
            var laplacian = At(x - 1, y) + At(x + 1, y) + At(x, y - 1) + At(x, y + 1) - (4 * At(x, y));
            laplacian.Should().BeApproximately(rightHandSides[i], 1e-10);
        }
    }

    [Fact]
    public void NormalClone_OfTheDestinationItself_ChangesNothing()
    {
        var picture = TestPictures.Noise(40, 30, seed: 1);
        var mask = Enumerable.Repeat((byte)255, 40 * 30).ToArray();

        var clone = PoissonBlender.NormalClone(picture, mask, picture, (20, 15));

        // The fraction is cut off, so that a solution just under a whole level falls to the one below.
        clone.Rgb.Zip(picture.Rgb, (a, b) => Math.Abs(a - b)).Max().Should().BeLessThanOrEqualTo(1);
    }

    [Theory]
    [InlineData(11, 24, 17, false)]
    [InlineData(12, 15, 30, false)]
    [InlineData(13, 24, 17, true)]
    public void Clone_IrregularMask_EqualsRelaxation(int seed, int width, int height, bool mixed)
    {
        var random = new Random(seed);
        var source = TestPictures.Noise(width, height, seed);
        var destination = Smooth(60, 50, seed);
        var mask = Enumerable.Range(0, width * height).Select(i => (byte)(i % width > 2 && i / width > 1 && random.Next(40) > 0 ? 255 : 0)).ToArray();
        var before = (byte[])destination.Rgb.Clone();

        var clone = mixed ? PoissonBlender.MixedClone(source, mask, destination, (28, 23)) : PoissonBlender.NormalClone(source, mask, destination, (28, 23));

        destination.Rgb.Should().Equal(before);
        var expected = NaiveClone(source, mask, destination, (28, 23), mixed);
        for (var i = 0; i < expected.Length; i++)
        {
            // Both cut fractions off; relaxation stops a hair short of the solution.
            ((double)clone.Rgb[i]).Should().BeInRange(Math.Floor(expected[i] - 0.01), Math.Floor(expected[i] + 0.01));
        }
    }

    [Fact]
    public void NormalClone_EmptyMask_ReturnsTheDestination()
    {
        var destination = TestPictures.Noise(20, 20, seed: 3);

        PoissonBlender.NormalClone(TestPictures.Noise(9, 9, seed: 4), new byte[81], destination, (10, 10)).Rgb.Should().Equal(destination.Rgb);
    }

    [Fact]
    public void NormalClone_BoxOutsideOrWrongMask_Throws()
    {
        var (source, destination) = (TestPictures.Noise(9, 9, seed: 5), TestPictures.Noise(20, 20, seed: 6));
        var full = Enumerable.Repeat((byte)255, 81).ToArray();

        var outside = () => PoissonBlender.NormalClone(source, full, destination, (2, 10));
        var wrongMask = () => PoissonBlender.NormalClone(source, new byte[80], destination, (10, 10));

        outside.Should().Throw<ArgumentException>().WithMessage("*7 x 7*(2, 10)*20 x 20*");
        wrongMask.Should().Throw<ArgumentException>();
    }

    private static PixelBuffer Smooth(int width, int height, int seed)
    {
        var rgb = new byte[3 * width * height];
        for (var i = 0; i < rgb.Length; i++)
        {
            var (x, y) = (i / 3 % width, i / 3 / width);
            rgb[i] = (byte)(128 + (40 * Math.Sin((x + seed + (i % 3)) / 7.0)) + (30 * Math.Cos(y / 5.0)));
        }

        return new PixelBuffer(width, height, rgb);
    }

    /// <summary>The same equations solved by Gauss–Seidel relaxation on real numbers.</summary>
    private static double[] NaiveClone(PixelBuffer source, byte[] mask, PixelBuffer destination, (int X, int Y) centre, bool mixed)
    {
        bool InMask(int x, int y) => x >= 1 && y >= 1 && x < source.Width - 1 && y < source.Height - 1 && mask[(y * source.Width) + x] != 0;
        var set = Enumerable.Range(0, mask.Length).Select(i => (X: i % source.Width, Y: i / source.Width)).Where(p => InMask(p.X, p.Y)).ToArray();
        var (x0, y0) = (set.Min(p => p.X), set.Min(p => p.Y));
        var (w, h) = (set.Max(p => p.X) - x0 + 1, set.Max(p => p.Y) - y0 + 1);
        var (left, top) = (centre.X - (w / 2), centre.Y - (h / 2));
        var result = destination.Rgb.Select(level => (double)level).ToArray();
        var offsets = Enumerable.Range(-3, 7).SelectMany(dy => Enumerable.Range(-3, 7).Select(dx => (dx, dy))).ToArray();
        for (var c = 0; c < 3; c++)
        {
            double S(int x, int y) => InMask(x0 + x, y0 + y) ? source.Rgb[(3 * (((y0 + y) * source.Width) + x0 + x)) + c] : 0;
            int Place(int x, int y) => (3 * (((top + y) * destination.Width) + left + x)) + c;
            double D(int x, int y) => destination.Rgb[Place(x, y)];
            (double X, double Y) Gradient(int x, int y)
            {
                var (sx, sy, dx, dy) = (S(x + 1, y) - S(x, y), S(x, y + 1) - S(x, y), D(x + 1, y) - D(x, y), D(x, y + 1) - D(x, y));
                var inner = offsets.All(o => InMask(x0 + x + o.dx, y0 + y + o.dy));
                return inner && (!mixed || Math.Abs(sx - sy) > Math.Abs(dx - dy)) ? (sx, sy) : (dx, dy);
            }

            var divergence = new double[w * h];
            for (var i = 0; i < w * h; i++)
            {
                var (x, y) = (i % w, i / w);
                if (x > 0 && y > 0 && x < w - 1 && y < h - 1)
                {
                    divergence[i] = Gradient(x, y).X - Gradient(x - 1, y).X + Gradient(x, y).Y - Gradient(x, y - 1).Y;
                }
            }

            for (var sweep = 0; sweep < 3000; sweep++)
            {
                for (var y = 1; y < h - 1; y++)
                {
                    for (var x = 1; x < w - 1; x++)
                    {
                        result[Place(x, y)] = (result[Place(x - 1, y)] + result[Place(x + 1, y)] + result[Place(x, y - 1)] + result[Place(x, y + 1)] - divergence[(y * w) + x]) / 4;
                    }
                }
            }
        }

        return Array.ConvertAll(result, value => Math.Clamp(value, 0, 255));
    }
}
