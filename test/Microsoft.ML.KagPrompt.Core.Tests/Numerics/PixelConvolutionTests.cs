using Microsoft.ML.KagPrompt.Numerics;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Tests.Numerics;

/// <summary>The library's own convolutions against plain loops.</summary>
public sealed class PixelConvolutionTests
{
    public static TheoryData<int, int, int, int, int> Layers => new()
    {
        // Side of the kernel, stride, inputs, height and width.
        { 7, 2, 3, 31, 33 },
        { 7, 2, 3, 64, 64 },
        { 3, 1, 32, 28, 28 },
        { 3, 1, 64, 5, 17 },
        { 3, 2, 32, 15, 40 },
        { 3, 2, 24, 14, 14 },
        { 1, 2, 32, 9, 30 },
        { 1, 1, 40, 1, 1 },
        { 3, 1, 8, 3, 2 },
        { 3, 1, 256, 13, 14 },
        { 3, 1, 24, 9, 7 },
        { 3, 1, 20, 6, 15 },
    };

    [SkippableTheory]
    [MemberData(nameof(Layers))]
    public void Apply_EveryInstructionSet_EqualsPlainLoops(int side, int stride, int inputs, int height, int width)
    {
        Skip.If(ProductTiles.WidestLanes == 0, "The processor has no instructions for it.");
        // Half of the last group of outputs, with the widest instructions.
        const int Images = 2, Outputs = 48;
        manual_seed(7);
        using var scope = NewDisposeScope();
        var (planes, weight, bias) = (randn(Images, inputs, height, width), randn(Outputs, inputs, side, side), randn(Outputs));
        foreach (var lanes in new[] { 16, 8 }.Where(lanes => lanes <= ProductTiles.WidestLanes))
        {
            using var kernels = new PixelConvolution.Kernels(weight, bias, stride, new(lanes));
            using var input = PixelMap.FromPlanes(planes, side / 2);
            using var once = PixelConvolution.Apply(input, kernels, null, isRectified: false);
            using var again = PixelConvolution.Apply(input, kernels, once, isRectified: true);
            var (plain, twice) = (once.ToTensor(), again.ToTensor());
            var due = Naive(planes, weight, bias, stride);
            plain.shape.Should().Equal(Images, Outputs, due.GetLength(2), due.GetLength(3));
            var most = 1e-5 * due.Cast<double>().Max(Math.Abs);
            float[] Values(Tensor map) => map.contiguous().data<float>().ToArray();
            Values(plain).Zip(due.Cast<double>(), (value, right) => Math.Abs(value - right)).Max().Should().BeLessThan(most);
            Values(twice).Zip(due.Cast<double>(), (value, right) => Math.Abs(value - Math.Max(0, 2 * right))).Max().Should().BeLessThan(2 * most);
        }
    }

    [SkippableFact]
    public void Apply_AnyNumberOfThreadsAndInstructions_GivesTheSameBits()
    {
        Skip.If(ProductTiles.WidestLanes == 0, "The processor has no instructions for it.");
        manual_seed(3);
        using var scope = NewDisposeScope();
        var (planes, weight, bias) = (randn(2, 64, 56, 56), randn(128, 64, 3, 3), randn(128));
        var before = get_num_threads();
        try
        {
            float[] Of(int threads, int lanes)
            {
                set_num_threads(threads);
                using var kernels = new PixelConvolution.Kernels(weight, bias, 2, new(lanes));
                using var input = PixelMap.FromPlanes(planes, 1);
                using var output = PixelConvolution.Apply(input, kernels, null, isRectified: true);
                return output.ToTensor().contiguous().data<float>().ToArray();
            }

            var one = Of(1, ProductTiles.WidestLanes);
            Of(2, ProductTiles.WidestLanes).Should().Equal(one);
            Of(2, 8).Should().Equal(one);
        }
        finally
        {
            set_num_threads(before);
        }
    }

    [SkippableTheory]
    [InlineData(112, 112)]
    [InlineData(7, 12)]
    public void Pool_EqualsLibtorch(int height, int width)
    {
        Skip.If(ProductTiles.WidestLanes == 0, "The processor has no instructions for it.");
        manual_seed(5);
        using var scope = NewDisposeScope();
        var planes = randn(2, 16, height, width).relu();
        using var input = PixelMap.FromPlanes(planes, 1);
        using var pooled = PixelConvolution.Pool(input);
        var due = nn.functional.max_pool2d(planes, kernel_size: 3, stride: 2, padding: 1);
        pooled.ToTensor().contiguous().data<float>().ToArray().Should().Equal(due.data<float>().ToArray());
    }

    [SkippableFact]
    public void Apply_NaN_StaysNaN()
    {
        Skip.If(ProductTiles.WidestLanes == 0, "The processor has no instructions for it.");
        using var scope = NewDisposeScope();
        var planes = zeros(1, 32, 20, 20);
        planes[0, 5, 10, 10] = float.NaN;
        using var kernels = new PixelConvolution.Kernels(ones(32, 32, 3, 3), zeros(32), 1, TileShape.Widest);
        using var input = PixelMap.FromPlanes(planes, 1);
        using var output = PixelConvolution.Apply(input, kernels, null, isRectified: true);
        var map = output.ToTensor();
        float.IsNaN(map[0, 31, 9, 11].item<float>()).Should().BeTrue();
        map[0, 31, 8, 11].item<float>().Should().Be(0);
    }

    private static double[,,,] Naive(Tensor planes, Tensor weight, Tensor bias, int stride)
    {
        var (x, w, b) = (planes.data<float>().ToArray(), weight.data<float>().ToArray(), bias.data<float>().ToArray());
        var (images, inputs, height, width) = ((int)planes.shape[0], (int)planes.shape[1], (int)planes.shape[2], (int)planes.shape[3]);
        var (outputs, side) = ((int)weight.shape[0], (int)weight.shape[2]);
        int Steps(int length) => ((length + (2 * (side / 2)) - side) / stride) + 1;
        var sums = new double[images, outputs, Steps(height), Steps(width)];
        for (var n = 0; n < images; n++)
        {
            for (var o = 0; o < outputs; o++)
            {
                for (var row = 0; row < sums.GetLength(2); row++)
                {
                    for (var column = 0; column < sums.GetLength(3); column++)
                    {
                        double sum = b[o];
                        for (var i = 0; i < inputs; i++)
                        {
                            for (var down = 0; down < side; down++)
                            {
                                for (var across = 0; across < side; across++)
                                {
                                    var (y, z) = ((row * stride) + down - (side / 2), (column * stride) + across - (side / 2));
                                    if (y >= 0 && y < height && z >= 0 && z < width)
                                    {
                                        sum += (double)x[(((((n * inputs) + i) * height) + y) * width) + z]
                                            * w[(((((o * inputs) + i) * side) + down) * side) + across];
                                    }
                                }
                            }
                        }

                        sums[n, o, row, column] = sum;
                    }
                }
            }
        }

        return sums;
    }
}
