using Microsoft.ML.KagPrompt.Methods.Kag;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Tests.Methods.Kag;

/// <summary>The graph at sizes and seeds of no golden file.</summary>
public class GraphPromptTests
{
    [Theory]
    [InlineData(1, 4, 8, 2, new[] { 5, 7, 3, 4 }, true)]
    [InlineData(1, 4, 8, 2, new[] { 5, 7, 3, 4 }, false)]
    [InlineData(2, 5, 16, 1, new[] { 3, 3, 8, 2 }, true)]
    [InlineData(2, 5, 16, 1, new[] { 3, 3, 8, 2 }, false)]
    [InlineData(3, 6, 9, 3, new[] { 4, 2, 6, 1 }, true)]
    [InlineData(3, 6, 9, 3, new[] { 4, 2, 6, 1 }, false)]
    [InlineData(4, 7, 40, 2, new[] { 17, 2, 6, 33 }, false)]
    public void Nodes_RandomWeights_EqualPlainLoops(
        int seed, int grid, int jointWidth, int iterations, int[] tapWidths, bool byLibtorch)
    {
        ProductTiles.IsLeftOut = byLibtorch;
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var prompt = RandomPrompt(seed, tapWidths, jointWidth, iterations);
        var tokens = Tokens(seed, tapWidths, batch: 2, grid);
        var naive = new NaiveKernelAwareGraph(prompt.Weights, jointWidth, iterations);
        var outputs = prompt.Nodes(tokens);
        outputs.shape.Should().Equal(4, 2, grid * grid, jointWidth);
        for (var image = 0; image < 2; image++)
        {
            var expected = naive.Forward([.. tokens.Select(layer => Matrix(layer[image]))]);
            for (var i = 0; i < 4; i++)
            {
                outputs[i, image].ShouldBeClose(tensor(expected[i]), TensorAssertions.StageTolerance, $"layer {i} of image {image}");
            }
        }
    }

    [Theory]
    [InlineData(4, 4, 8, 2, new[] { 5, 7, 3, 4 }, false)]
    [InlineData(5, 5, 6, 3, new[] { 3, 3, 8, 2 }, false)]
    [InlineData(6, 4, 7, 1, new[] { 4, 2, 6, 1 }, true)]
    public void Nodes_ReleasedRandomWeights_EqualPlainLoops(int seed, int grid, int jointWidth, int iterations, int[] tapWidths, bool training)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var prompt = RandomPrompt(seed, tapWidths, jointWidth, iterations, GraphVariant.Released);
        prompt.Weights["output_norm.variance"].abs_().add_(0.1f);
        var tokens = Tokens(seed, tapWidths, batch: 2, grid);
        var naive = new NaiveReleasedGraph(prompt.Weights, jointWidth, iterations);
        var expected = Enumerable.Range(0, 2).Select(image => naive.Forward([.. tokens.Select(layer => Matrix(layer[image]))], training)).ToArray();
        var outputs = prompt.Nodes(tokens, training);
        outputs.shape.Should().Equal(8, 2, grid * grid, jointWidth);
        for (var image = 0; image < 2; image++)
        {
            for (var i = 0; i < 8; i++)
            {
                outputs[i, image].ShouldBeClose(tensor(expected[image][i]), TensorAssertions.StageTolerance, $"map {i} of image {image}");
            }
        }
    }

    [Theory]
    [InlineData(GraphVariant.Paper)]
    [InlineData(GraphVariant.Released)]
    public void Nodes_RoundsInParts_EqualWholeRounds(GraphVariant variant)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        int[] tapWidths = [5, 7, 3, 4];
        ProductTiles.IsLeftOut = true;
        using var prompt = RandomPrompt(9, tapWidths, 8, 3, variant);
        _ = variant == GraphVariant.Released ? prompt.Weights["output_norm.variance"].abs_().add_(0.1f) : null;
        var tokens = Tokens(9, tapWidths, batch: 2, grid: 6);
        var whole = prompt.Nodes(tokens);
        prompt.LargestAtOnce = 0;
        prompt.Nodes(tokens).ShouldBeClose(whole, 1e-5, "one message after the other");
        var (queries, keys, values) = (randn(2, 7, 3), randn(2, 7, 3), randn(2, 7, 5));
        BlockedAttention.Apply(queries, keys, values, block: 42).ShouldBeClose(
            queries.bmm(keys.transpose(1, 2)).softmax(-1).bmm(values), 1e-6, "three queries of two images at a time, the last alone");
    }

    [Fact]
    public void Backward_WholeLoss_EqualsDifferencesAlongRandomDirections()
    {
        const int Side = 12;
        int[] tapWidths = [3, 5, 4, 2];
        using var scope = NewDisposeScope();
        using var prompt = RandomPrompt(21, tapWidths, jointWidth: 8, iterations: 2);
        var tokens = Tokens(21, tapWidths, batch: 2, grid: 4);
        using var generator = new Generator(22);
        var text = randn([2, 2, 8], generator: generator).UnitLength(-1).Times(0.05);       // short: the probabilities stay soft and the differences smooth
        var embedding = randn([2, 8], generator: generator);
        var mask = zeros([2, Side, Side]);
        mask[1].narrow(0, 3, 4).narrow(1, 2, 7).fill_(1);
        var labels = tensor(new long[] { 0, 1 });
        Loss().backward();
        foreach (var (name, weight) in prompt.Weights)
        {
            using var noGradients = no_grad();
            const float Nudge = 1e-2f;
            var direction = randn(weight.shape, generator: generator);
            direction = direction.Times(1 / Math.Sqrt(direction.Squared().sum().Value()));
            var expected = (direction * weight.grad!).sum().Value();
            weight.AddScaled(direction, Nudge);
            var above = Loss().Value();
            weight.AddScaled(direction, -2 * Nudge);
            var below = Loss().Value();
            weight.AddScaled(direction, Nudge);
            ((above - below) / (2 * Nudge)).Should().BeApproximately(expected, 2e-3f + (0.02f * Math.Abs(expected)), name);
            if (name != "intra.key.bias")
            {
                // That one shifts a whole row of the softmax, which changes nothing.
                weight.grad!.abs().max().Value().Should().BeGreaterThan(1e-4f, $"{name} must matter for the check to mean anything");
            }
        }

        Tensor Loss() => Losses.Paper(prompt.ImageSimilarities(embedding, text).Times(0.02), PromptMap.PerLayer(prompt.Nodes(tokens), text, KagVariant.For(GraphVariant.Paper), KagParts.AlignedCorners(4, Side)), mask, labels, 1, 1).Total;
    }

    [Fact]
    public void Nodes_NoIterations_AreTheMultiKernelFeaturesTwice()
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var prompt = RandomPrompt(seed: 4, [3, 3, 3, 3], jointWidth: 8, iterations: 0);
        Tensor[] tokens = [.. Enumerable.Range(0, 4).Select(_ => randn(2, 16, 3))];
        prompt.Nodes(tokens).ShouldBeClose(prompt.InitialNodes(tokens) * 2, 1e-6, "(11) without rounds");
    }

    [Fact]
    public void Constructor_AnySeed_FollowsThePaperInitialisation()
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var prompt = new GraphPrompt(new GraphPromptConfig { TapWidths = [8, 8, 8, 8], JointWidth = 64, Iterations = 5 }, seed: 11);
        prompt.Weights["intra.alpha"].Value().Should().Be(0);
        foreach (var name in (string[])["intra.query", "intra.key", "intra.value", "gate"])
        {
            prompt.Weights[$"{name}.weight"].std().Value().Should().BeInRange(0.008f, 0.012f, name);
        }

        foreach (var name in (string[])["update", "reset", "candidate"])
        {
            var matrix = prompt.Weights[$"gru.{name}.weight"];
            matrix.matmul(matrix.t()).ShouldBeClose(eye(64), 1e-5, name);
            prompt.Weights[$"gru.{name}.bias"].abs().max().Value().Should().Be(0, name);
        }

        prompt.Weights["inter.weight"].abs().max().Value().Should().BeInRange(0.115f, 0.125f, "uniform within 1/√64");
        prompt.Weights["kernels.3.weight"].abs().max().Value().Should().BeInRange(0.0405f, 0.04167f, "uniform within 1/√(64·9)");
    }

    /// <summary>A prompt whose every parameter matters: a fresh one has α = 0 and tiny convolutions.</summary>
    internal static GraphPrompt RandomPrompt(int seed, int[] tapWidths, int jointWidth, int iterations, GraphVariant variant = GraphVariant.Paper)
    {
        var prompt = new GraphPrompt(new GraphPromptConfig { Variant = variant, TapWidths = tapWidths, JointWidth = jointWidth, Iterations = iterations }, seed);
        using var generator = new Generator((ulong)seed);
        using var noGradients = no_grad();
        foreach (var weight in prompt.Weights.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => entry.Value))
        {
            weight.uniform_(-0.7, 0.7, generator);
        }

        return prompt;
    }

    internal static Tensor[] Tokens(int seed, int[] tapWidths, int batch, int grid)
    {
        using var generator = new Generator((ulong)seed);
        return [.. tapWidths.Select(width => randn([batch, grid * grid, width], generator: generator))];
    }

    internal static double[,] Matrix(Tensor values)
    {
        var flat = values.to_type(ScalarType.Float64).contiguous().data<double>().ToArray();
        var result = new double[values.shape[0], values.shape[1]];
        Buffer.BlockCopy(flat, 0, result, 0, flat.Length * sizeof(double));
        return result;
    }
}
