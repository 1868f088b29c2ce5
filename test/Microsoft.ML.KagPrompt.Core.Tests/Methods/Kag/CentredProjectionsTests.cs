using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Methods.Kag;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Tests.Methods.Kag;

public class CentredProjectionsTests
{
    private const int Seed = 11;
    private const int Steps = 5;
    private const double Rate = 1e-3;
    private const double Clip = 1;

    private static readonly GraphPromptConfig Config = new() { TapWidths = [5, 6, 7, 8], JointWidth = 16, Iterations = 2 };

    /// <summary>As if the patches had come without their mean, and the biases had held its share: checked by doing just that.</summary>
    [Fact]
    public void Step_PatchesWithALongMean_TrainsAsWithoutIt()
    {
        using var scope = NewDisposeScope();
        var patches = Patches();
        var centres = patches.Select(tokens => tokens.mean([0, 1])).ToArray();
        var expected = Trained(patches.Zip(centres, (tokens, centre) => tokens - centre).ToArray(), centres, centred: false);
        var actual = Trained(patches, null, centred: true);
        var plain = Trained(patches, null, centred: false);

        actual.Nodes.ShouldBeClose(expected.Nodes, 2e-4, "the trained prompts are the same function");
        for (var i = 0; i < actual.Weights.Length; i++)
        {
            actual.Weights[i].ShouldBeClose(expected.Weights[i], 2e-4, $"projection {i}");
        }

        (plain.Weights[0] - expected.Weights[0]).abs().max().ToDouble().Should().BeGreaterThan(1e-3, "the optimiser alone goes another way");
    }

    private static Tensor[] Patches()
    {
        using var random = new Generator(Seed, CPU);
        return [.. Config.TapWidths.Select(width => randn([3, 36, width], generator: random) + (6 * randn([width], generator: random)))];
    }

    /// <summary>After some steps towards arbitrary nodes; with means given, the biases first take their share.</summary>
    private static (Tensor[] Weights, Tensor Nodes) Trained(Tensor[] patches, Tensor[]? means, bool centred)
    {
        using var prompt = new GraphPrompt(Config, Seed);
        using var optimizer = new AdamW(prompt.Parameters, 0.9, 0.95, weightDecay: 0);
        using var centring = new CentredProjections(prompt, patches);
        using (no_grad())
        {
            for (var i = 0; i < means?.Length; i++)
            {
                prompt.Weights[$"projection.{i}.bias"].add_(prompt.Weights[$"projection.{i}.weight"].matmul(means[i]));
            }
        }

        using var random = new Generator(Seed + 1, CPU);
        var target = randn(prompt.Nodes(patches).shape, generator: random);
        for (var step = 0; step < Steps; step++)
        {
            optimizer.ZeroGradients();
            (prompt.Nodes(patches) - target).square().mean().backward();
            if (centred)
            {
                centring.Step(Update);
            }
            else
            {
                Update();
            }
        }

        return ([.. Config.TapWidths.Select((_, i) => prompt.Weights[$"projection.{i}.weight"].detach().clone())], prompt.Nodes(patches).detach());

        void Update()
        {
            optimizer.ClipGradients(Clip);
            optimizer.Step(Rate);
        }
    }
}
