using Microsoft.ML.KagPrompt.Backbones.Compact;
using Microsoft.ML.KagPrompt.Methods.Kag;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Methods.Kag;

public class PretrainedPromptTests
{
    private static readonly FitChoices Small = new() { Epochs = 0, ImageSize = 112, Device = "cpu", Seed = 5 };

    [Fact]
    public void Resources_TogetherUnder16Megabytes()
    {
        long Size(string name) => typeof(CompactBackbone).Assembly.GetManifestResourceStream(name)!.Length;
        Size("compact.prompt.safetensors").Should().BeLessThan(4_000_000);
        (Size("compact.prompt.safetensors") + Size("compact.safetensors") + Size("compact.merges.txt")).Should().BeLessThan(16_000_000);
    }

    [Theory]
    [InlineData(GraphVariant.Released, 5)]
    [InlineData(GraphVariant.Paper, 4)]
    public void Fit_AnotherFormWithoutTraining_IsRefusedRatherThanDropped(GraphVariant variant, int iterations)
        => FluentActions.Invoking(() => KagPromptTrainer.Fit(Parts, Small with { Variant = variant, Iterations = iterations }))
            .Should().Throw<ArgumentException>().WithMessage($"*Prompt.Variant {variant}*Prompt.Iterations {iterations}*'kag.paper' with 5 iterations*Training.Epochs*");

    [Fact]
    public void Fit_WithoutTraining_UsesItUnlessFromScratch()
    {
        using var model = KagPromptTrainer.Fit(Parts, Small);
        using var bankOnly = KagPromptTrainer.Fit(Parts, Small with { FromScratch = true });
        model.HasPrompt.Should().BeTrue();
        bankOnly.HasPrompt.Should().BeFalse();
        using var shipped = KagParts.ShippedPrompt(model.Info());
        ShouldBeEqual(model.Prompt()!, shipped);
    }

    [Fact]
    public void Fit_Training_StartsFromItUnlessFromScratch()
    {
        var gentle = Small with { Epochs = 1, LearningRate = 1e-9f };
        using var tuned = KagPromptTrainer.Fit(Parts, gentle);
        using var own = KagPromptTrainer.Fit(Parts, gentle with { FromScratch = true });
        using var shipped = KagParts.ShippedPrompt(tuned.Info());
        Distance(tuned.Prompt()!, shipped).Should().BeLessThan(1e-4);
        Distance(own.Prompt()!, shipped).Should().BeGreaterThan(0.01);
    }

    [Fact]
    public void Fit_InitialModelFromScratch_KeepsItsBackboneAlone()
    {
        using var initial = KagPromptTrainer.Fit(Parts, Small);
        using var bankOnly = KagPromptTrainer.Fit(Parts, Small with { FromScratch = true }, initial);
        bankOnly.HasPrompt.Should().BeFalse();
        bankOnly.Network.Encoder.Vision.Should().BeSameAs(initial.Network.Encoder.Vision);
    }

    private static TrainingImage[] Parts => [.. Enumerable.Range(0, 2).Select(i => new TrainingImage { Image = TestImages.Part(80 + i, 70, i) })];

    private static void ShouldBeEqual(GraphPrompt actual, GraphPrompt expected) => Distance(actual, expected).Should().Be(0);

    private static double Distance(GraphPrompt a, GraphPrompt b)
    {
        using var scope = torch.NewDisposeScope();
        return a.Weights.Max(entry => (entry.Value.detach() - b.Weights[entry.Key].detach()).abs().max().item<float>());
    }
}
