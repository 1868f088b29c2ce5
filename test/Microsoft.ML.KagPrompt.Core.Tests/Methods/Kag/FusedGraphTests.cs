using Microsoft.ML.KagPrompt.Methods.Kag;
using Microsoft.ML.KagPrompt.Methods.Kag.Paper;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.TestSupport;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Tests.Methods.Kag;

/// <summary>The graph by the library's own products: each kind of instructions, and what must change nothing.</summary>
public class FusedGraphTests
{
    private static readonly int[] TapWidths = [5, 33, 3, 4];

    [SkippableTheory]
    [InlineData(4, 8)]
    [InlineData(7, 9)]
    [InlineData(9, 48)]
    public void Outputs_EachKindOfInstructions_EqualPlainLoops(int grid, int jointWidth)
    {
        Skip.If(ProductTiles.WidestLanes == 0, "The processor has no instructions for it.");
        const int Iterations = 2;
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var config = new GraphPromptConfig { TapWidths = TapWidths, JointWidth = jointWidth, Iterations = Iterations };
        using var parameters = new GraphParameters(config, seed: 1);
        manual_seed(2);
        foreach (var weight in parameters.ByName.Values)
        {
            weight.uniform_(-0.7, 0.7);
        }

        var tokens = GraphPromptTests.Tokens(8, TapWidths, batch: 1, grid);
        var naive = new NaiveKernelAwareGraph(parameters.ByName, jointWidth, Iterations)
            .Forward([.. tokens.Select(layer => GraphPromptTests.Matrix(layer[0]))]);
        float[]? before = null;
        foreach (var lanes in new[] { 16, 8 }.Where(lanes => lanes <= ProductTiles.WidestLanes))
        {
            var outputs = FusedGraph.Outputs(parameters, config, tokens, lanes);
            for (var i = 0; i < 4; i++)
            {
                outputs[i, 0].ShouldBeClose(tensor(naive[i]), TensorAssertions.StageTolerance, $"layer {i}, {lanes} lanes");
            }

            var values = outputs.data<float>().ToArray();
            values.Should().Equal(before ?? values, "results are the same bits");
            before = values;
        }
    }

    [SkippableFact]
    public void Nodes_AnyNumberOfThreadsAndImages_AreTheSameBits()
    {
        Skip.If(ProductTiles.WidestLanes == 0, "The processor has no instructions for it.");
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var prompt = GraphPromptTests.RandomPrompt(3, TapWidths, 32, 3);
        var tokens = GraphPromptTests.Tokens(4, TapWidths, batch: 3, grid: 16);
        var before = get_num_threads();
        try
        {
            float[] Of(int threads, int image, int count)
            {
                set_num_threads(threads);
                return prompt.Nodes([.. tokens.Select(layer => layer.narrow(0, image, count))]).narrow(1, count - 1, 1)
                    .contiguous().data<float>().ToArray();
            }

            var one = Of(1, 2, 1);
            Of(2, 2, 1).Should().Equal(one);
            Of(2, 0, 3).Should().Equal(one);
        }
        finally
        {
            set_num_threads(before);
        }
    }

    [SkippableFact]
    public void Nodes_NaNInAToken_ReachesEveryLayer()
    {
        Skip.If(ProductTiles.WidestLanes == 0, "The processor has no instructions for it.");
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var prompt = GraphPromptTests.RandomPrompt(3, TapWidths, 16, 1);
        var tokens = GraphPromptTests.Tokens(4, TapWidths, batch: 1, grid: 5);
        tokens[2][0, 12, 1] = float.NaN;
        prompt.Nodes(tokens).isnan().any(-1).any(-1).all().item<bool>().Should().BeTrue();
    }
}
