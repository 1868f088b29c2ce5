using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;
using static Microsoft.ML.KagPrompt.Tests.Model.BackboneFiles;

namespace Microsoft.ML.KagPrompt.Tests.Model;

/// <summary>A fit takes the features of backbones from files, at the taps, size and precision asked for, if they are numbers.</summary>
[Collection(nameof(BackboneSearchTests))]
public sealed class BackboneFitTests : IDisposable
{
    private readonly BackboneFiles files = new();

    [Theory]
    [InlineData(BackboneStorage.Embed)]
    [InlineData(BackboneStorage.Refer)]
    public void Fit_MemoryBackboneBesideAnother_BankHasItsFeatures(BackboneStorage storage)
    {
        var both = files.Choices with { MemoryBackbone = files.In("dino.safetensors"), BackboneStorage = storage };
        using var model = KagPromptTrainer.Fit(Parts, both);
        var alone = files.Choices with { Backbone = files.In("dino.safetensors"), Epochs = 0, BackboneStorage = storage };
        using var bankOnly = KagPromptTrainer.Fit(Parts, alone);
        var (mine, dino) = (model.Bank(), bankOnly.Bank());
        for (var layer = 0; layer < 4; layer++)
        {
            mine.Layers[layer].ShouldBeClose(dino.Layers[layer], 0, $"layer {layer}");
        }

        using var again = files.Load(Save(model));
        ShouldAgree(again, model);
        again.Options.Backbone.MemoryName.Should().Be(both.MemoryBackbone);
    }

    [Theory]
    [InlineData(BackboneStorage.Embed)]
    [InlineData(BackboneStorage.Refer)]
    public void Fit_GivenTaps_AreTappedAndSaved(BackboneStorage storage)
    {
        var deep = TinyBackbones.Clip(1);
        foreach (var (name, tensor) in deep
            .Where(entry => entry.Key.Contains("visual.transformer.resblocks.3.", StringComparison.Ordinal)).ToArray())
        {
            deep.Add(name.Replace("resblocks.3.", "resblocks.4.", StringComparison.Ordinal), tensor);
        }

        TinyBackbones.WriteSafetensors(files.In("clip.safetensors"), deep);
        using var usual = KagPromptTrainer.Fit(Parts, files.Choices with { Epochs = 0, BackboneStorage = storage });
        using var model = KagPromptTrainer.Fit(Parts, files.Choices with { Epochs = 0, BackboneStorage = storage, Taps = [1, 2, 4, 5] });
        torch.Tensor Bank(KagPromptModel of, int layer) => of.Bank().Layers[layer];
        Bank(model, 3).ShouldBeClose(Bank(usual, 3), 0, "block 5 is the last quarter too");
        Bank(model, 2).sub(Bank(usual, 2)).abs().max().ToSingle().Should().BeGreaterThan(0.01f, "block 4, not 3");
        using var again = files.Load(Save(model));
        ShouldAgree(again, model);
        FluentActions.Invoking(() => KagPromptTrainer.Fit(Parts, files.Choices with { Taps = [1, 2, 3, 6] }))
            .Should().Throw<ArgumentException>().WithMessage("*Taps*1 to 5*1, 2, 3, 6*");
        FluentActions.Invoking(() => KagPromptTrainer.Fit(Parts, files.Choices with { Taps = [1, 2] }))
            .Should().Throw<ArgumentException>().WithMessage("*Backbone.Taps: expected 4 with a graph prompt, got 2*");
        FluentActions.Invoking(() => KagPromptTrainer.Fit(Parts, files.Choices with { Backbone = "compact", Taps = [1, 2, 3, 4] }))
            .Should().Throw<ArgumentException>().WithMessage("*Taps*compact*");
        FluentActions.Invoking(((InspectionOptions)(files.Choices with { Taps = [1, 3, 2, 4], MemoryTaps = [1] })).Validate)
            .Should().Throw<ArgumentException>().WithMessage("*Taps*1, 3, 2, 4*MemoryTaps*");
    }

    [Theory]
    [InlineData(56)]
    [InlineData(84)]
    [InlineData(112)]
    public void Fit_OtherImageSizes_ResamplePositions(int size)
    {
        using var model = KagPromptTrainer.Fit(Parts, files.Choices with { ImageSize = size });
        var result = model.Inspect([TestImages.Part(70, 60, 40)], [null])[0];
        result.Map.Should().HaveCount(size * size).And.OnlyContain(value => float.IsFinite(value));
    }

    [Fact]
    public void Fit_BFloat16_ScoresNearFloat32AndLoadsBitForBit()
    {
        using var exact = KagPromptTrainer.Fit(Parts, files.Choices with { Epochs = 0 });
        using var quick = KagPromptTrainer.Fit(Parts, files.Choices with { Epochs = 0, Precision = Precision.BFloat16 });
        var query = TestImages.Part(70, 60, 40, defective: true);
        var (expected, actual) = (exact.Inspect([query], [null])[0].Score, quick.Inspect([query], [null])[0].Score);
        actual.Should().BeApproximately(expected, 0.02f);
        actual.Should().NotBe(expected, "it was computed in another precision");
        using var again = files.Load(Save(quick));
        ShouldAgree(again, quick);
        again.Options.Backbone.Precision.Should().Be(Precision.BFloat16);
    }

    [SkippableFact]
    public void Fit_Auto_ScoresAsWhatTheMachineIsFasterIn()
    {
        var query = TestImages.Part(70, 60, 40, defective: true);
        float Score(Precision precision)
        {
            using var model = KagPromptTrainer.Fit(Parts, files.Choices with { Epochs = 0, Precision = precision });
            return model.Inspect([query], [null])[0].Score;
        }

        // As the system tells it, and not the library.
        string[] faster = ["avx512_bf16", "amx_bf16"];
        Skip.IfNot(File.Exists("/proc/cpuinfo") && !torch.cuda.is_available(),
            "The system does not tell the processor's flags so, or has a GPU.");
        var flags = File.ReadLines("/proc/cpuinfo").First(line => line.StartsWith("flags", StringComparison.Ordinal)).Split(' ');
        var expected = faster.Intersect(flags).Any() ? Precision.BFloat16 : Precision.Float32;
        Score(Precision.Auto).Should().Be(Score(expected)).And.NotBe(
            Score(expected == Precision.BFloat16 ? Precision.Float32 : Precision.BFloat16));
    }

    [Fact]
    public void Fit_BackboneWithAValueThatIsNoNumber_NamesItsTensor()
    {
        var weights = TinyBackbones.Clip(1);
        weights["visual.transformer.resblocks.2.mlp.c_fc.weight"][3, 5] = float.NaN;
        TinyBackbones.WriteSafetensors(files.In("clip.safetensors"), weights);
        FluentActions.Invoking(() => KagPromptTrainer.Fit(Parts, files.Choices))
            .Should().Throw<CheckpointFormatException>()
            .WithMessage("*clip.safetensors*'visual.transformer.resblocks.2.mlp.c_fc.weight'*not numbers*");
    }

    [Fact]
    public void Inspect_BankThatTurnedIntoNoNumbers_IsAnErrorThatNamesImageAndClass()
    {
        using var model = KagPromptTrainer.Fit(Parts, files.Choices with { Epochs = 0 });
        model.Bank().Layers[2].fill_(float.NaN);
        FluentActions.Invoking(() => model.Inspect([Parts[0].Image, Parts[1].Image], [null, null]))
            .Should().Throw<NotFiniteException>().WithMessage("*image 1 of 2*'object'*not a finite number*");
    }

    public void Dispose() => files.Dispose();
}
