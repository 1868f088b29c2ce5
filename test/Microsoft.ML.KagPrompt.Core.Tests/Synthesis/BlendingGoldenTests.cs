using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Synthesis;

[Trait("Category", "Golden")]
public class BlendingGoldenTests
{
    private const double LeastCloseShare = 0.99;

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void Clone_GoldenPatches_EqualsOpenCv(bool mixed)
    {
        var golden = new GoldenTensors(SharedFiles.Golden("nsa_blending.safetensors"));
        var cases = golden.Names.Where(name => name.EndsWith(".mask", StringComparison.Ordinal)).Select(name => name[..^".mask".Length]).ToArray();
        cases.Should().NotBeEmpty();
        foreach (var name in cases)
        {
            var (source, destination) = (Picture(golden, $"{name}.source"), Picture(golden, $"{name}.destination"));
            var mask = golden.Values<byte>($"{name}.mask");
            var centre = golden.Values<long>($"{name}.center_xy");
            var at = ((int)centre[0], (int)centre[1]);

            var clone = mixed ? PoissonBlender.MixedClone(source, mask, destination, at) : PoissonBlender.NormalClone(source, mask, destination, at);

            var expected = golden.Values<byte>(mixed ? $"{name}.mixed_clone" : $"{name}.normal_clone");
            var changed = Enumerable.Range(0, expected.Length).Where(i => expected[i] != destination.Rgb[i]).ToArray();
            changed.Should().NotBeEmpty();
            var close = changed.Count(i => Math.Abs(clone.Rgb[i] - expected[i]) <= 2);
            (close / (double)changed.Length).Should().BeGreaterThanOrEqualTo(LeastCloseShare, name);
            // What OpenCV leaves alone stays, but for a fraction that rounding in its 32-bit transform tips over.
            Enumerable.Range(0, expected.Length).Except(changed).Should().OnlyContain(i => Math.Abs(clone.Rgb[i] - expected[i]) <= 1, name);
        }
    }

    [SkippableFact]
    public void Disk_GoldenChange_EqualsScikitImage()
    {
        var golden = new GoldenTensors(SharedFiles.Golden("nsa_blending.safetensors"));
        var shape = golden.Shape("median.input");

        MedianFilter.Disk(golden.Values<double>("median.input"), shape[1], shape[0], radius: 5).Should().Equal(golden.Values<double>("median.disk5"));
    }

    [SkippableTheory]
    [InlineData(5)]
    [InlineData(7)]
    public void Square_GoldenMask_EqualsOpenCv(int side)
    {
        var golden = new GoldenTensors(SharedFiles.Golden("nsa_blending.safetensors"));
        var shape = golden.Shape("medianblur.input");

        MedianFilter.Square(golden.Values<byte>("medianblur.input"), shape[1], shape[0], side).Should().Equal(golden.Values<byte>($"medianblur.k{side}"));
    }

    private static PixelBuffer Picture(GoldenTensors golden, string name) =>
        new(golden.Shape(name)[1], golden.Shape(name)[0], golden.Values<byte>(name));
}
