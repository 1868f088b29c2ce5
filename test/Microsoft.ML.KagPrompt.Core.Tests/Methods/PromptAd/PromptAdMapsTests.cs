using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Methods.PromptAd;
using Microsoft.ML.KagPrompt.TestSupport;
using Microsoft.ML.KagPrompt.Tests.Methods.Cells;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Methods.PromptAd;

/// <summary>Values of patches, and how they are put together, against plain numbers.</summary>
public class PromptAdMapsTests
{
    [Fact]
    public void Visual_TwoBanks_EqualsPlainNumbers()
    {
        using var scope = torch.NewDisposeScope();
        using var random = new torch.Generator(2);
        torch.Tensor[] support = [torch.randn([1, 7, 5], generator: random), torch.randn([1, 7, 5], generator: random)];
        torch.Tensor[] query = [torch.randn([3, 4, 5], generator: random), torch.randn([3, 4, 5], generator: random)];
        using var bank = MemoryBank.Build([support]);
        var values = PromptAdMaps.Visual(bank, query, null).Values;
        for (var image = 0; image < 3; image++)
        {
            for (var patch = 0; patch < 4; patch++)
            {
                var expected = Enumerable.Range(0, 2).Average(layer =>
                {
                    var own = Row(query[layer][image][patch]);
                    return Enumerable.Range(0, 7)
                        .Min(normal => 1 - NaiveCells.Cosine(NaiveCells.Unit(own), NaiveCells.Unit(Row(support[layer][0][normal])))) / 2;
                });
                values[image][patch].item<float>().Should().BeApproximately((float)expected, 1e-5f);
            }
        }
    }

    [Fact]
    public void Textual_FeaturesOfAnyLength_EqualsPlainNumbers()
    {
        using var scope = torch.NewDisposeScope();
        var directions = torch.tensor(new float[] { 3, 0, 0, 2 }, [2, 2]);
        var features = torch.tensor(new float[] { 6, 8, 0, -5 }, [2, 2]);
        double Share(double normal, double abnormal) => Math.Exp(abnormal) / (Math.Exp(normal) + Math.Exp(abnormal));
        PromptAdMaps.Textual(features, directions).ShouldBeClose(torch.tensor([Share(3 * 0.6, 2 * 0.8), Share(0, -2)]), 1e-6,
            "the abnormal share");
    }

    [Theory]
    [InlineData(0.2, 0.6, 0.15)]
    [InlineData(1, 1, 0.5)]
    [InlineData(0, 0.7, 0)]
    [InlineData(0, 0, 0)]
    public void Fused_TwoValues_IsHalfTheirHarmonicMean(double a, double b, double expected)
    {
        using var scope = torch.NewDisposeScope();
        PromptAdMaps.Fused(torch.tensor([(float)a]), torch.tensor([(float)b])).ShouldBeClose(torch.tensor([expected]), 1e-6, "fused");
    }

    [Fact]
    public void Visual_PatchOfTheBank_IsNeverBelowZero()
    {
        using var scope = torch.NewDisposeScope();
        using var random = new torch.Generator(3);
        torch.Tensor[] support = [torch.randn([1, 500, 33], generator: random), torch.randn([1, 500, 33], generator: random)];
        using var bank = MemoryBank.Build([support]);
        PromptAdMaps.Visual(bank, support, null).Values.min().item<float>().Should().BeGreaterThanOrEqualTo(0);
    }

    private static double[] Row(torch.Tensor row) => Array.ConvertAll(row.data<float>().ToArray(), number => (double)number);
}
