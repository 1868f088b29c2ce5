using Microsoft.ML.KagPrompt.Methods.PromptAd;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Tests.Methods.Cells;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Methods.PromptAd;

/// <summary>The three losses against plain numbers, for images and for patches.</summary>
public class PromptLossesTests
{
    private const int Width = 6;
    private const double Scale = 3.7;

    [Theory]
    [InlineData(3, 1, 2)]
    [InlineData(2, 5, 4)]
    public void Of_ImagesAndPatches_EqualsPlainNumbers(int images, int patches, int seed)
    {
        using var scope = torch.NewDisposeScope();
        using var random = new torch.Generator((ulong)seed);
        torch.Tensor Rows(long count) => torch.randn([count, Width], generator: random);
        var prompts = new PromptRows(Rows(2), Rows(5), Rows(4));
        var features = torch.randn([images, patches, Width], generator: random).UnitLength(-1);
        var isOfImages = patches == 1;
        var losses = PromptLosses.Compute(isOfImages ? features.squeeze(1) : features, prompts, Scale, 0.25);

        var (normal, given, learned) = (Plain(prompts.Normal), Plain(prompts.Handcrafted), Plain(prompts.Learned));
        double[][] abnormal = [.. given, .. learned];
        var (towards, away) = (NaiveCells.Unit(Mean(normal)), NaiveCells.Unit(Mean(abnormal)));
        var all = Enumerable.Range(0, images).Select(image => Plain(features[image])).ToArray();
        var contrastive = all.SelectMany(image => image).Average(feature =>
        {
            var logits = abnormal.Select(row => Scale * NaiveCells.Cosine(feature, NaiveCells.Unit(row)))
                .Prepend(Scale * NaiveCells.Cosine(feature, towards)).ToArray();
            return Math.Log(logits.Sum(Math.Exp)) - logits[0];
        });
        double Gap(double[] feature, int channel)
            => Math.Pow(feature[channel] - towards[channel], 2) - Math.Pow(feature[channel] - away[channel], 2);
        var channels = Enumerable.Range(0, Width).ToArray();
        // Of images the channels are summed and the mean is over images; of patches the patches are, and it is over images and channels.
        var triplet = isOfImages ? all.Average(image => Math.Max(0, channels.Sum(channel => Gap(image[0], channel))))
            : all.Average(image => channels.Average(channel => Math.Max(0, image.Sum(feature => Gap(feature, channel)))));
        var alignment = Mean([.. given.Select(NaiveCells.Unit)])
            .Zip(Mean([.. learned.Select(NaiveCells.Unit)]), (a, b) => (a - b) * (a - b)).Sum();

        losses.Contrastive.Value().Should().BeApproximately((float)contrastive, 1e-5f);
        losses.Triplet.Value().Should().BeApproximately((float)triplet, 1e-5f);
        losses.Alignment.Value().Should().BeApproximately((float)alignment, 1e-5f);
        losses.Total.Value().Should().BeApproximately((float)(contrastive + triplet + (0.25 * alignment)), 1e-5f);
    }

    private static double[][] Plain(torch.Tensor rows)
        => [.. rows.data<float>().ToArray().Chunk(Width).Select(row => Array.ConvertAll(row, number => (double)number))];

    private static double[] Mean(double[][] rows) => [.. Enumerable.Range(0, Width).Select(channel => rows.Average(row => row[channel]))];
}
