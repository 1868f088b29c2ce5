using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Synthesis;

public class MedianFilterTests
{
    [Theory]
    [InlineData(3, 17, 11, 2)]
    [InlineData(5, 9, 23, 256)]
    [InlineData(7, 4, 3, 256)]
    [InlineData(7, 1, 1, 256)]
    public void Square_RandomBytes_EqualsSortedWindows(int side, int width, int height, int levels)
    {
        var random = new Random(side + width);
        var image = Enumerable.Range(0, width * height).Select(_ => (byte)random.Next(levels)).ToArray();

        var filtered = MedianFilter.Square(image, width, height, side);

        filtered.Should().Equal(Naive(image, width, height, side / 2, (_, _) => true));
    }

    [Theory]
    [InlineData(1, 17, 11)]
    [InlineData(5, 30, 23)]
    [InlineData(5, 3, 4)]
    public void Disk_RandomNumbers_EqualsSortedWindows(int radius, int width, int height)
    {
        var random = new Random(radius + width);
        // Half of them zero, as in a map of changes; the others of either sign, some equal.
        var image = Enumerable.Range(0, width * height).Select(_ => random.Next(2) * (random.Next(-40, 60) / 3.0)).ToArray();

        var filtered = MedianFilter.Disk(image, width, height, radius);

        filtered.Should().Equal(Naive(image, width, height, radius, (dx, dy) => (dx * dx) + (dy * dy) <= radius * radius));
    }

    [Theory]
    [InlineData(0, 0, 0, 0)]
    [InlineData(0, 0, 4, 5)]
    [InlineData(37, 13, 4, 5)]
    [InlineData(12, 3, 9, 11)]
    [InlineData(20, 8, 1, 1)]
    public void Both_APatchOnPlainGround_EqualSortedWindows(int left, int top, int patchWidth, int patchHeight)
    {
        const int Width = 41, Height = 18;
        var random = new Random(left + patchWidth);
        var image = new double[Width * Height];
        for (var i = 0; i < image.Length; i++)
        {
            var (x, y) = ((i % Width) - left, (i / Width) - top);
            image[i] = x >= 0 && x < patchWidth && y >= 0 && y < patchHeight ? random.Next(1, 200) : 0;
        }

        MedianFilter.Disk(image, Width, Height, 5).Should().Equal(Naive(image, Width, Height, 5, (dx, dy) => (dx * dx) + (dy * dy) <= 25));
        var bytes = Array.ConvertAll(image, value => (byte)value);
        MedianFilter.Square(bytes, Width, Height, 3).Should().Equal(Naive(bytes, Width, Height, 1, (_, _) => true));
    }

    private static T[] Naive<T>(T[] image, int width, int height, int radius, Func<int, int, bool> inWindow)
    {
        var result = new T[image.Length];
        for (var i = 0; i < image.Length; i++)
        {
            var window = new List<T>();
            for (var dy = -radius; dy <= radius; dy++)
            {
                for (var dx = -radius; dx <= radius; dx++)
                {
                    if (inWindow(dx, dy))
                    {
                        window.Add(image[(Math.Clamp((i / width) + dy, 0, height - 1) * width) + Math.Clamp((i % width) + dx, 0, width - 1)]);
                    }
                }
            }

            window.Sort();
            result[i] = window[window.Count / 2];
        }

        return result;
    }
}
