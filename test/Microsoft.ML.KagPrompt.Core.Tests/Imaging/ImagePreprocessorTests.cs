using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Tests.Imaging;

public class ImagePreprocessorTests
{
    private static readonly float[] Half = [0.5f, 0.5f, 0.5f];

    [Theory]
    [InlineData(ResizeMode.Stretch, 1, 1)]
    [InlineData(ResizeMode.Stretch, 1000, 3)]
    [InlineData(ResizeMode.CropShortSide, 1, 1)]
    [InlineData(ResizeMode.CropShortSide, 3, 1000)]
    [InlineData(ResizeMode.CropShortSide, 20000, 2)]
    [InlineData(ResizeMode.CropShortSide, 57, 91)]
    public void Resize_AnySize_GivesTheSquare(ResizeMode mode, int width, int height)
    {
        var square = new ImagePreprocessor(56, mode, Half, Half).Resize(TestImages.Noise(width, height, 1));
        (square.Width, square.Height).Should().Be((56, 56));
    }

    [Theory]
    [InlineData(31, 47, 28)]
    [InlineData(90, 64, 42)]
    [InlineData(20, 20, 56)]
    public void Resize_Stretch_IsNearFloatingPointBicubic(int width, int height, int side)
    {
        var image = TestImages.Noise(width, height, 7);
        var square = new ImagePreprocessor(side, ResizeMode.Stretch, Half, Half).Resize(image);
        var (rows, columns) = (Naive(height, side), Naive(width, side));
        for (var y = 0; y < side; y++)
        {
            for (var x = 0; x < side; x++)
            {
                var sum = 0.0;
                for (var v = 0; v < height; v++)
                {
                    for (var u = 0; u < width; u++)
                    {
                        sum += rows[y, v] * columns[x, u] * image.Rgb[((v * width) + u) * 3];
                    }
                }

                // Rounding between the passes costs up to two levels.
                Math.Abs(Math.Clamp(sum, 0, 255) - square.Rgb[((y * side) + x) * 3]).Should().BeLessThan(20, "clipping between the passes can differ")
                    .And.Match(difference => difference <= 2.5 || Clips(image, rows, y));
            }
        }
    }

    [Fact]
    public void MapToImage_Stretch_ConstantStaysAndNothingIsNaN()
    {
        var map = Enumerable.Repeat(0.25f, 28 * 28).ToArray();
        new ImagePreprocessor(28, ResizeMode.Stretch, Half, Half).MapToImage(map, 51, 33).Should().HaveCount(51 * 33).And.AllSatisfy(value => value.Should().BeApproximately(0.25f, 1e-6f));
    }

    [Fact]
    public void MapToImage_CropOfWideImage_LeavesSidesUninspected()
    {
        var result = new ImagePreprocessor(28, ResizeMode.CropShortSide, Half, Half).MapToImage(new float[28 * 28], 100, 50);
        for (var x = 0; x < 100; x++)
        {
            float.IsNaN(result[x]).Should().Be(x is < 25 or >= 75, $"column {x}");
        }
    }

    [Fact]
    public void ResizeMask_CropOfWideImage_TakesWhatTheSquareShows()
    {
        // Marked: the middle half across, all of which and no more a square of the short side shows.
        var mask = new byte[100 * 50];
        for (var p = 0; p < mask.Length; p++)
        {
            mask[p] = (byte)(p % 100 is >= 25 and < 75 ? 1 : 0);
        }

        byte[] Marks(ResizeMode mode) => new ImagePreprocessor(28, mode, Half, Half).ResizeMask(mask, 100, 50);
        Marks(ResizeMode.CropShortSide).Should().HaveCount(28 * 28).And.OnlyContain(mark => mark == 1);
        Marks(ResizeMode.Stretch).Should().Equal(Enumerable.Range(0, 28 * 28).Select(p => (byte)(p % 28 is >= 7 and < 21 ? 1 : 0)));
    }

    [Fact]
    public void MapToImage_PixelThatWasNotInspected_IsNaNInItsOwnPlaceAlone()
    {
        float[] map = [1, float.NaN, 3, 1, 2, 3, 1, 2, 3];
        var result = new ImagePreprocessor(3, ResizeMode.Stretch, Half, Half).MapToImage(map, 9, 9);
        for (var p = 0; p < 81; p++)
        {
            float.IsNaN(result[p]).Should().Be(p % 9 is >= 3 and < 6 && p / 9 < 3, $"pixel {p % 9}, {p / 9}");
        }

        result[2].Should().Be(1, "beside it, the nearest value stands for what is not known");
        result[(3 * 9) + 4].Should().Be(2);
    }

    [Fact]
    public void MapToImage_Gradient_IsLinear()
    {
        var map = Enumerable.Range(0, 16).Select(i => (float)(i % 4)).ToArray();
        var result = new ImagePreprocessor(4, ResizeMode.Stretch, Half, Half).MapToImage(map, 8, 4);
        result[..8].Should().Equal(0f, 0.25f, 0.75f, 1.25f, 1.75f, 2.25f, 2.75f, 3f);
    }

    [Fact]
    public void Normalize_KnownPixels_AppliesMeanAndDeviation()
    {
        var preprocessor = new ImagePreprocessor(1, ResizeMode.Stretch, [0.5f, 0.25f, 0f], [0.5f, 0.25f, 1f]);
        using var tensor = preprocessor.Normalize([new PixelBuffer(1, 1, [255, 0, 51])]);
        tensor.data<float>().ToArray().Should().Equal([1f, -1f, 0.2f], (a, b) => Math.Abs(a - b) < 1e-6);
    }

    [Fact]
    public void Normalize_WrongSize_NamesTheImageAndSizes()
    {
        var preprocessor = new ImagePreprocessor(14, ResizeMode.Stretch, Half, Half);
        preprocessor.Invoking(p => p.Normalize([TestImages.Noise(14, 14, 0), TestImages.Noise(15, 14, 0)]))
            .Should().Throw<ArgumentException>().WithMessage("*squares[1]*14 x 14*15 x 14*");
    }

    [Fact]
    public void Rotate90_FourTurns_IsTheImageAgain()
    {
        var image = TestImages.Noise(5, 3, 2);
        var once = image.Rotate90(1);
        (once.Width, once.Height).Should().Be((3, 5));
        once.Rgb[..3].Should().Equal(image.Rgb[(2 * 5 * 3)..((2 * 5 * 3) + 3)], "the bottom-left pixel moves to the top-left");
        image.Rotate90(4).Rgb.Should().Equal(image.Rgb);
        once.Rotate90(3).Rgb.Should().Equal(image.Rgb);
    }

    /// <summary>Antialiased bicubic weights in floating point, every input pixel considered.</summary>
    private static double[,] Naive(int size, int target)
    {
        var weights = new double[target, size];
        var scale = Math.Max(1.0, (double)size / target);
        for (var i = 0; i < target; i++)
        {
            var centre = (i + 0.5) * size / target;
            var total = 0.0;
            for (var k = 0; k < size; k++)
            {
                var x = Math.Abs((k + 0.5 - centre) / scale);
                weights[i, k] = x < 1 ? (1.5 * x * x * x) - (2.5 * x * x) + 1 : x < 2 ? (-0.5 * x * x * x) + (2.5 * x * x) - (4 * x) + 2 : 0;
                total += weights[i, k];
            }

            for (var k = 0; k < size; k++)
            {
                weights[i, k] /= total;
            }
        }

        return weights;
    }

    /// <summary>Whether any intermediate of this row could leave 0..255: noise near the ends does.</summary>
    private static bool Clips(PixelBuffer image, double[,] rows, int y) => image.Rgb.Any(value => value is < 40 or > 215) && rows.GetLength(0) > y;
}
