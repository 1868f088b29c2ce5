using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Methods;
using Microsoft.ML.KagPrompt.Methods.Kag;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.TestSupport;
using Microsoft.ML.KagPrompt.Tests.Backbones;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Tests.Methods.Kag;

/// <summary>Training steps through the trainer itself, on the embedded backbone: labels, masks, texts by class, losses, gradients, clip, optimiser, rates.</summary>
public sealed class GraphTrainerTests : IDisposable
{
    private const int Side = 56;
    private const int Grid = Side / 14;
    private const int Iterations = 2;

    private readonly DisposeScope scope = NewDisposeScope();
    private readonly KagPromptModel backbone = KagPromptTrainer.Fit([new TrainingImage { Image = TestImages.Part(Side, Side, 0) }],
        new FitChoices { Epochs = 0, FromScratch = true, ImageSize = Side, Seed = 5 });
    private readonly Dictionary<string, Tensor> texts;

    public GraphTrainerTests()
    {
        using var random = new Generator(8);
        // As far apart as prompts are: farther, and every map saturates.
        texts = new[] { "a", "b" }.ToDictionary(name => name, _ =>
        {
            var middle = randn([1, backbone.Info().JointWidth], generator: random);
            var pair = middle + (0.1 * randn([2, backbone.Info().JointWidth], generator: random));
            return pair / pair.square().sum(1, keepdim: true).sqrt();
        });
    }

    [Theory]
    [InlineData(true, 0.01f, 1f)]
    [InlineData(false, 0.01f, 0f)]
    [InlineData(false, 1e6f, 0.5f)]
    public void Train_TwoSteps_EqualAPlainImplementation(bool centred, float clip, float dice)
    {
        var options = new KagOptions { Prompt = new() { Iterations = Iterations }, Training = new() { GradientClip = clip, DiceWeight = dice, FocalWeight = 2, WeightDecay = 0.1f } };
        using var prompt = Prompt();
        var plain = new PlainTraining(prompt.Weights, Iterations);
        TwinBatch[] batches = [Batch("aba", first: 10), Batch("bb", first: 20)];
        double[] rates = [1e-3, 3e-3];
        var reports = new List<TrainingProgress>();
        // The first image's features are kept, the others' made beside their twins.
        using var features = NormalFeatures.ForGraph(backbone.Network.Encoder, [batches[0].Normal[0]], shown: 5);
        Trainer(options, prompt, centred).Train(batches, step => rates[step], reports.Add, features, CancellationToken.None);

        Tensor[]? centres = null;
        for (var step = 0; step < batches.Length; step++)
        {
            var (images, masks, labels, text) = Plain(batches[step]);
            var encoded = images.Select(image => Tower.Encode(NaiveCompactTower.Pixels(image))).ToArray();
            var tokens = Enumerable.Range(0, 4).Select(i => stack([.. encoded.Select(features => tensor(features.Taps[i]))])).ToArray();
            centres ??= centred ? [.. tokens.Select(layer => layer.narrow(0, 0, batches[0].Normal.Length).mean([0, 1]))] : null;
            var loss = plain.Step(tokens, stack([.. encoded.Select(features => tensor(features.Embedding))]), text, Up, masks, labels, options.Training, rates[step], centres);
            reports[step].Loss.CrossEntropy.Should().BeApproximately((float)loss.CrossEntropy, 2e-3f);
            reports[step].Loss.Focal.Should().BeApproximately((float)loss.Focal, 2e-3f);
            reports[step].Loss.Dice.Should().BeApproximately((float)loss.Dice, 2e-3f);
        }

        using var start = Prompt();
        foreach (var (name, weight) in prompt.Weights.Where(entry => !entry.Key.StartsWith("intra.")))
        {
            // The loop edge has no gradient until its own weight, which starts at 0, has moved.
            Apart(weight.grad!, plain.Gradients[name]).Should().BeLessThan(0.02, $"gradient of {name}");
            Apart(weight - start.Weights[name], plain.Weights[name] - start.Weights[name]).Should().BeLessThan(0.05, $"step of {name}");
        }

        Apart(prompt.Weights["intra.alpha"], plain.Weights["intra.alpha"]).Should().BeLessThan(0.02);
    }

    /// <summary>The embedded network's features, from its weights by plain loops.</summary>
    private NaiveCompactTower Tower => new(backbone.Network.Encoder.Tower.Weights, [2, 2, 3, 3], 14);

    /// <summary>Cells lie 14 pixels apart; the taps lie 2.275 pixels right of and below the middle of the tiles in the mean.</summary>
    private static Tensor Up => tensor(NaiveMatrix.Fill(Side, Grid, (pixel, cell) => Math.Max(0, 1 - Math.Abs(Math.Clamp((pixel - (6.5 + 2.275)) / 14, 0, Grid - 1) - cell))));

    [Fact]
    public void Train_ImagesOfAClass_TakesTheScheduledStepsOverItsOwnTwins()
    {
        var options = new KagOptions { Prompt = new() { Iterations = Iterations }, Training = new() { Epochs = 2, LearningRate = 2e-3f } };
        var normal = Enumerable.Range(0, 3).Select(i => new ProductImage(TestImages.Part(Side, Side, i), i < 2 ? "a" : "b")).ToArray();
        var own = new Dictionary<string, SynthesisOptions>();
        using var scheduled = Prompt();
        using var byHand = Prompt();
        var reports = new List<TrainingProgress>();
        Trainer(options, scheduled, centred: true).Train(normal, own, seed: 9, reports.Add, CancellationToken.None);

        // 32 pairs an epoch in 8 steps; the first tenth of the 16 steps, rounded up, warms up, the others fall to 0.
        reports.Select(report => report.Epoch).Should().Equal([.. Enumerable.Repeat(1, 8), .. Enumerable.Repeat(2, 8)]);
        reports.Should().AllSatisfy(report => report.Total.Should().Be(16));
        using var twins = new TwinSource(normal, own, batchSize: 4, pairsPerEpoch: 32, epochs: 2, seed: 9, CancellationToken.None);
        using var features = NormalFeatures.ForGraph(backbone.Network.Encoder, normal, shown: 64);
        Trainer(options, byHand, centred: true).Train(twins.Batches(), step => (float)2e-3 * (step == 0 ? 0.5 : step == 1 ? 1 : (16 - step) / 14.0), _ => { }, features, CancellationToken.None);
        foreach (var (name, weight) in scheduled.Weights)
        {
            weight.ShouldBeClose(byHand.Weights[name], 1e-6, name);
        }
    }

    public void Dispose()
    {
        backbone.Dispose();
        scope.Dispose();
    }

    private GraphPrompt Prompt() => new(GraphPromptConfig.For(backbone.Info(), GraphVariant.Paper, Iterations), seed: 3);

    private GraphTrainer Trainer(KagOptions options, GraphPrompt prompt, bool centred)
    {
        var sizes = ((KagMethod)backbone.Network.Method).Sizes;
        return new(options, sizes with { Main = centred ? sizes.Main : sizes.Main with { Presets = [] } }, prompt, backbone.Network.Encoder, texts, pairsPerPass: 2);
    }

    /// <summary>Pairs of the classes given; every twin has its square of defect, but the second none.</summary>
    private static TwinBatch Batch(string classes, int first) => new([.. classes.Select((name, i) => new ProductImage(TestImages.Part(Side, Side, first + i), name.ToString()))],
        [.. classes.Select((_, i) =>
        {
            var mask = Enumerable.Range(0, Side * Side).Select(p => i != 1 && p % Side is >= 5 and < 25 && p / Side >= 20 + i && p / Side < 45).ToArray();
            var image = TestImages.Part(Side, Side, first + i);
            for (var p = 0; p < image.Rgb.Length; p++)
            {
                image.Rgb[p] = mask[p / 3] ? (byte)(255 - image.Rgb[p]) : image.Rgb[p];
            }

            return new SyntheticImage(image, [.. mask.Select(inside => inside ? 1f : 0f)], mask, mask.Contains(true), 1);
        })], Epoch: 1);

    /// <summary>The normal images, without a mask and of label 0, then their twins.</summary>
    private (PixelBuffer[] Images, Tensor Masks, int[] Labels, Tensor Texts) Plain(TwinBatch batch)
    {
        var twinMasks = batch.Twins.Select(twin => tensor(twin.Mask.Select(inside => inside ? 1.0 : 0).ToArray()).view(Side, Side)).ToArray();
        var labels = batch.Normal.Select(_ => 0).Concat(batch.Twins.Select(twin => twin.Mask.Contains(true) ? 1 : 0)).ToArray();
        var text = stack([.. batch.Normal.Concat(batch.Normal).Select(image => texts[image.ClassName].to_type(ScalarType.Float64))]);
        return ([.. batch.Normal.Select(image => image.Square), .. batch.Twins.Select(twin => twin.Image)], cat([zeros_like(stack(twinMasks)), stack(twinMasks)], 0), labels, text);
    }

    /// <summary>Length of the difference, as a share of the length.</summary>
    private static double Apart(Tensor actual, Tensor expected)
    {
        var difference = actual.detach().to_type(ScalarType.Float64) - expected.detach();
        return Math.Sqrt(difference.square().sum().item<double>() / expected.detach().square().sum().item<double>());
    }
}
