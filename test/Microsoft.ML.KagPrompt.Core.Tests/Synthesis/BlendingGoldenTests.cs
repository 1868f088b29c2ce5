using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Synthesis;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Synthesis;

[Trait("Category", "Golden")]
public class BlendingGoldenTests
{
    [SkippableFact]
    public void NormalClone_OpenCvCases_AgreesWithinTwoLevelsOnChangedPixels()
    {
        using var golden = SafetensorsFile.Open(SharedFiles.Golden("nsa_blending.safetensors"));
        var cases = golden.Entries.Keys.Where(name => name.EndsWith(".normal_clone", StringComparison.Ordinal)).ToArray();
        cases.Should().NotBeEmpty();
        foreach (var name in cases)
        {
            using var scope = torch.NewDisposeScope();
            var prefix = name[..^"normal_clone".Length];
            var (source, destination, expected) = (Image(golden, prefix + "source"), Image(golden, prefix + "destination"), Image(golden, name));
            var centre = golden.Read(prefix + "center_xy").data<long>().ToArray();
            var actual = PoissonBlender.NormalClone(source, golden.Read(prefix + "mask").bytes, destination, (int)centre[0], (int)centre[1]);
            var (changed, near) = (0, 0);
            for (var i = 0; i < expected.Rgb.Length; i++)
            {
                if (expected.Rgb[i] != destination.Rgb[i] || actual.Rgb[i] != destination.Rgb[i])
                {
                    changed++;
                    near += Math.Abs(expected.Rgb[i] - actual.Rgb[i]) <= 2 ? 1 : 0;
                }
            }

            changed.Should().BePositive();
            ((double)near / changed).Should().BeGreaterThanOrEqualTo(0.99, name);
        }
    }

    [SkippableFact]
    public void Medians_Golden_AreExact()
    {
        using var golden = SafetensorsFile.Open(SharedFiles.Golden("nsa_blending.safetensors"));
        using var scope = torch.NewDisposeScope();
        var values = golden.Read("median.input");
        MedianFilter.Disk(values.data<double>().ToArray(), (int)values.shape[1], (int)values.shape[0], 5)
            .Should().Equal(golden.Read("median.disk5").data<double>().ToArray());
        var bytes = golden.Read("medianblur.input");
        foreach (var k in (int[])[5, 7])
        {
            MedianFilter.Square(bytes.bytes, (int)bytes.shape[1], (int)bytes.shape[0], k).Should().Equal(golden.Read($"medianblur.k{k}").bytes.ToArray());
        }
    }

    private static PixelBuffer Image(SafetensorsFile file, string name)
    {
        using var tensor = file.Read(name);
        return new PixelBuffer((int)tensor.shape[1], (int)tensor.shape[0], tensor.bytes.ToArray());
    }
}
