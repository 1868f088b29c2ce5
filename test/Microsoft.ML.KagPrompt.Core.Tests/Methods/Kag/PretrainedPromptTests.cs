using Microsoft.ML.KagPrompt.Backbones.Compact;
using Microsoft.ML.KagPrompt.Methods.Kag;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Methods.Kag;

public class PretrainedPromptTests
{
    private static readonly InspectionOptions Small = new() { Epochs = 0, ImageSize = 112, Device = "cpu", Seed = 5 };

    [Fact]
    public void Resources_TogetherUnder16Megabytes()
    {
        long Size(string name) => typeof(CompactBackbone).Assembly.GetManifestResourceStream(name)!.Length;
        Size("compact.prompt.safetensors").Should().BeLessThan(4_000_000);
        (Size("compact.prompt.safetensors") + Size("compact.safetensors") + Size("compact.merges.txt")).Should().BeLessThan(16_000_000);
    }

    [Fact]
    public void For_OtherOptionsThanItWasTrainedWith_IsNone()
    {
        using var vision = CompactBackbone.Embedded.LoadVision(torch.ScalarType.Float32, roundToHalf: false);
        using var prompt = PretrainedPrompt.For(new InspectionOptions(), vision.Info);
        prompt!.TapWidths.Should().Equal(vision.Info.TapWidths);
        PretrainedPrompt.For(new InspectionOptions { Variant = GraphVariant.Released }, vision.Info).Should().BeNull();
        PretrainedPrompt.For(new InspectionOptions { Iterations = 4 }, vision.Info).Should().BeNull();
        PretrainedPrompt.For(new InspectionOptions { Backbone = "another" }, vision.Info).Should().BeNull();
        PretrainedPrompt.For(new InspectionOptions { FromScratch = true }, vision.Info).Should().BeNull();
    }

    [Fact]
    public void Fit_WithoutTraining_UsesItUnlessFromScratch()
    {
        using var model = KagPromptTrainer.Fit(Parts, Small);
        using var bankOnly = KagPromptTrainer.Fit(Parts, Small with { FromScratch = true });
        model.HasPrompt.Should().BeTrue();
        bankOnly.HasPrompt.Should().BeFalse();
        using var shipped = PretrainedPrompt.For(Small, model.Network.Tower.Info)!;
        ShouldBeEqual(model.Network.Prompt!, shipped);
    }

    [Fact]
    public void Fit_Training_StartsFromItUnlessFromScratch()
    {
        var gentle = Small with { Epochs = 1, LearningRate = 1e-9f };
        using var tuned = KagPromptTrainer.Fit(Parts, gentle);
        using var own = KagPromptTrainer.Fit(Parts, gentle with { FromScratch = true });
        using var shipped = PretrainedPrompt.For(Small, tuned.Network.Tower.Info)!;
        Distance(tuned.Network.Prompt!, shipped).Should().BeLessThan(1e-4);
        Distance(own.Network.Prompt!, shipped).Should().BeGreaterThan(0.01);
    }

    [Fact]
    public void Fit_InitialModelFromScratch_KeepsItsBackboneAlone()
    {
        using var initial = KagPromptTrainer.Fit(Parts, Small);
        using var bankOnly = KagPromptTrainer.Fit(Parts, Small with { FromScratch = true }, initial);
        bankOnly.HasPrompt.Should().BeFalse();
        bankOnly.Network.Vision.Should().BeSameAs(initial.Network.Vision);
    }

    private static TrainingImage[] Parts => [.. Enumerable.Range(0, 2).Select(i => new TrainingImage { Image = TestImages.Part(80 + i, 70, i) })];

    private static void ShouldBeEqual(GraphPrompt actual, GraphPrompt expected) => Distance(actual, expected).Should().Be(0);

    private static double Distance(GraphPrompt a, GraphPrompt b)
    {
        using var scope = torch.NewDisposeScope();
        return a.Weights.Max(entry => (entry.Value.detach() - b.Weights[entry.Key].detach()).abs().max().item<float>());
    }
}
