using Microsoft.ML.KagPrompt.Backbones.Vit;
using Microsoft.ML.KagPrompt.Numerics;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.KagPrompt.Tests.Numerics;

/// <summary>Against the same convolution in float64, which libtorch computes without its blocked kernels.</summary>
public class ConvolutionTests
{
    [Theory]
    [InlineData(64, 640, 392)]
    [InlineData(64, 784, 196)]
    [InlineData(40, 64, 783)]
    public void Apply_ChannelsLast_EqualsFloat64(int inputs, int outputs, int pixels)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var generator = new Generator((ulong)pixels);
        var source = randn([1, 1, pixels, inputs], generator: generator).permute(0, 3, 1, 2);
        var kernels = randn([outputs, inputs, 1, 1], generator: generator);
        var expected = functional.conv2d(source.@double(), kernels.@double());
        ((Convolution.Apply(source, kernels, null) - expected).abs().max() / expected.abs().max()).Value().Should().BeLessThan(1e-5f);
    }

    [Theory]
    [InlineData(24, 8, 4, 3, 3, 1, 1)]
    [InlineData(20, 8, 9, 3, 2, 2, 1, 1)]
    [InlineData(7, 21, 6, 1, 4, 1, 0)]
    [InlineData(37, 80, 15, 4, 1, 1, 0)]
    [InlineData(112, 22, 9, 2, 2, 1, 0)]
    [InlineData(16, 48, 8, 3, 3, 1, 1)]
    [InlineData(48, 31, 16, 3, 3, 2, 1)]
    [InlineData(80, 80, 14, 4, 4, 2, 1)]
    [InlineData(3, 20, 28, 7, 7, 7, 0)]
    public void Apply_AnyChannels_EqualsFloat64WithGradients(int inputs, int outputs, int side, int height, int width, int stride, int padding, int batch = 8)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)(inputs + outputs));
        var source = randn([batch, inputs, side, side], generator: generator);
        var (kernels, shifts) = (randn([outputs, inputs, height, width], generator: generator), randn([outputs], generator: generator));
        var actual = Run(ScalarType.Float32, (x, w, b) => Convolution.Apply(x, w, b, stride, padding));
        var expected = Run(ScalarType.Float64, (x, w, b) => functional.conv2d(x, w, b, strides: [stride, stride], padding: [padding, padding]));
        foreach (var (one, other) in actual.Zip(expected))
        {
            ((one - other).abs().max() / other.abs().max()).Value().Should().BeLessThan(1e-5f);
        }

        using var noGradients = no_grad();
        ((Convolution.Apply(source, kernels, shifts, stride, padding) - expected[0]).abs().max() / expected[0].abs().max()).Value().Should().BeLessThan(1e-5f, "scoring takes no gradients");

        Tensor[] Run(ScalarType type, Func<Tensor, Tensor, Tensor, Tensor> convolve)
        {
            Tensor[] inputsOf = [.. new[] { source, kernels, shifts }.Select(value => value.to_type(type).detach().requires_grad_(true))];
            var output = convolve(inputsOf[0], inputsOf[1], inputsOf[2]);
            output.Squared().sum().backward();
            return [output.detach(), .. inputsOf.Select(input => input.grad!)];
        }
    }

    [Fact]
    public void Apply_SixteenBit_EqualsFloat64()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(5);
        var (source, kernels) = (randn([4, 3, 28, 28], generator: generator).bfloat16(), randn([40, 3, 7, 7], generator: generator).bfloat16());
        var (actual, expected) = (Convolution.Apply(source, kernels, null, stride: 7), functional.conv2d(source.@double(), kernels.@double(), strides: [7, 7]));
        ((actual.@double() - expected).abs().max() / expected.abs().max()).Value().Should().BeLessThan(0.01f);
    }
}
