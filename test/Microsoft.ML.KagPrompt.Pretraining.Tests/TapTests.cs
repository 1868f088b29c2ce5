using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Methods.Kag;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Pretraining.Tests;

/// <summary>What is done to the taps, against the library's own code or plain definitions.</summary>
public sealed class TapTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();
    private readonly string folder = Directory.CreateTempSubdirectory("kag-taps-").FullName;

    public void Dispose()
    {
        scope.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>The loss is about the distances that inspection uses.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void Distances_OfARenderedProduct_AreTheMemoryBanks(int supports)
    {
        using var tower = new ShippedFiles(Path.Combine(SharedFiles.RepositoryRoot, "src", "Microsoft.ML.KagPrompt.Core", "Backbones", "Compact")).Vision();
        using var episode = Episode.Render(tower, seed: 12, CPU);
        var taps = Enumerable.Range(0, tower.Info.TapWidths.Count).Select(stage => new MetricLearning.LearntTap(tower, stage)).ToArray();
        var tokens = episode.Maps.Select((map, stage) => tower.Tap(stage, map.to(ScalarType.Float32).transpose(1, 2).unflatten(2, [16, 16]))).ToArray();
        using var bank = MemoryBank.Build([.. Enumerable.Range(0, supports).Select(i => (IReadOnlyList<Tensor>)[.. tokens.Select(layer => layer.narrow(0, i, 1))])]);
        var distances = bank.Distances([.. tokens.Select(layer => layer.narrow(0, Episode.Supports, Episode.Sound + Episode.Defective))]);
        var expected = stack([.. distances]).mean([0]);

        MetricLearning.Distances(taps, episode, supports).ShouldBeClose(expected.clamp_min(1e-4), 1e-5, "(13) on the patch grid");
    }

    [Fact]
    public void Shaping_PowerOfMinusOne_WhitensAndMultipliesTheMean()
    {
        using var random = new Generator(3, CPU);
        var mixing = randn([6, 6], generator: random);
        var mean = randn([6], generator: random) * 5;
        var features = randn([4000, 6], generator: random).matmul(mixing) + mean;

        var (matrix, shift) = new TapShaping(-1, [2], [0], seed: 1).Shape(features, kept: 2, floor: 0);

        var shaped = features.matmul(matrix.t()) + shift;
        var centred = shaped - shaped.mean([0]);
        (centred.t().matmul(centred) / 4000).ShouldBeClose(eye(6), 1e-2, "all directions vary alike");
        shaped.mean([0]).ShouldBeClose(2 * matrix.matmul(features.mean([0])), 1e-2, "the mean is twice as long as it would be");
    }

    [Fact]
    public void Carrying_FeaturesThatAnAffineMapChanged_LetsThePromptSeeWhatItSaw()
    {
        var info = new VisionTowerInfo { PatchSize = 14, TapWidths = [5, 6, 7, 8], JointWidth = 16, ImageSize = 56, Mean = [0.5f, 0.5f, 0.5f], Std = [0.5f, 0.5f, 0.5f] };
        var options = new FitChoices();
        var config = GraphPromptConfig.For(info, options.Variant, options.Iterations);
        using var random = new Generator(8, CPU);
        var old = info.TapWidths.Select(width => randn([320, width], generator: random)).ToArray();
        var seen = old.Select(layer => layer.matmul(eye(layer.shape[1]) + (0.3 * randn([layer.shape[1], layer.shape[1]], generator: random))) + (2 * randn([layer.shape[1]], generator: random))).ToArray();
        var (before, after) = (Path.Combine(folder, "before"), Path.Combine(folder, "after"));
        using (var prompt = new GraphPrompt(config, 5))
        {
            ShippedFiles.WritePrompt(prompt, before);
        }

        PromptCarrying.Run(info, before, after, [.. old.Zip(seen, (o, n) => (o, n))], _ => { });

        var expected = Nodes(before, old);
        Nodes(after, seen).ShouldBeClose(expected, 2e-2 * expected.abs().max().ToDouble(), "weights in 16 bit");
        (Nodes(before, seen) - expected).abs().max().ToDouble().Should().BeGreaterThan(0.2 * expected.abs().max().ToDouble(), "without being carried it sees something else");

        Tensor Nodes(string file, Tensor[] features)
        {
            using var noGradients = no_grad();
            using var prompt = ShippedFiles.ReadPrompt(config, file);
            return prompt.Nodes([.. features.Select(layer => layer.narrow(0, 0, 16).unsqueeze(0))]);
        }
    }

    [Fact]
    public void Muon_OneStep_MovesAllDirectionsAlike()
    {
        using var random = new Generator(2, CPU);
        var kernel = zeros([8, 4, 3, 3], requires_grad: true);
        var gradient = randn([8, 36], generator: random) * logspace(0, -1, 8).unsqueeze(1);
        (kernel.flatten(1) * gradient).sum().backward();
        using var muon = new Muon([kernel], momentum: 0.95, weightDecay: 0);

        muon.Step(0.1);

        var moved = linalg.svdvals(kernel.detach().flatten(1)) / (0.1 * 0.2 * 6);
        moved.min().ToDouble().Should().BeGreaterThan(0.4);
        moved.max().ToDouble().Should().BeLessThan(1.4);
        (kernel.detach().flatten(1) * gradient).sum().ToDouble().Should().BeNegative("it goes downhill");
    }
}
