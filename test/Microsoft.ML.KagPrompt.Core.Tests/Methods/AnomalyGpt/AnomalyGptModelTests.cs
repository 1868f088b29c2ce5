using Microsoft.ML.KagPrompt.Backbones.Compact;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Methods;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Methods.AnomalyGpt;

/// <summary>AnomalyGPT's branches as users reach them.</summary>
public sealed class AnomalyGptModelTests : IDisposable
{
    private readonly DisposeScope scope = torch.NewDisposeScope();
    private readonly string folder = Directory.CreateTempSubdirectory("kagprompt-anomalygpt-").FullName;

    private static InspectionOptions FewShot => new()
    {
        Method = new AnomalyGptOptions(), Backbone = new() { Name = "resnet18" }, Images = new() { Size = MethodCase.Side },
            Device = "cpu", Seed = 3,
    };

    private InspectionOptions ZeroShot => FewShot with
    {
        Backbone = new() { Name = "compact" }, Method = new AnomalyGptOptions { Branch = AnomalyGptBranch.ZeroShot,
            DecoderPath = Path.Combine(folder, "decoder.safetensors") },
    };

    [Fact]
    public void Fit_FewShot_SavedAndLoadedInspectsAlike()
    {
        using var model = KagPromptTrainer.Fit(MethodCase.Parts(3), FewShot);
        using var again = MethodCase.SavedAndLoaded(model);
        again.ShouldInspectAlike(model);
        model.Inspect(MethodCase.Query(44)).Score.Should().BeGreaterThan(model.Inspect(MethodCase.Query()).Score);
        var result = model.Inspect(MethodCase.Query(44));
        result.Score.Should().Be(result.Map.Max());
    }

    [Fact]
    public void Fit_FewShotRegion_SeesNothingOutside() => MethodCase.ShouldSeeTheRegionAlone(FewShot);

    [Fact]
    public void Fit_Turned_KeepsFourTimesThePatches()
    {
        using var plain = KagPromptTrainer.Fit(MethodCase.Parts(2), FewShot);
        using var turned = KagPromptTrainer.Fit(MethodCase.Parts(2),
            FewShot with { Method = new AnomalyGptOptions { Memory = new() { Views = SupportViews.Turned, ViewShare = 1 } } });
        var grid = plain.Network.Encoder.Tower.Info.TapGrids(MethodCase.Side)[0];
        Rows(plain).Should().Be(2 * grid.Rows * grid.Columns, "the supports as they are");
        Rows(turned).Should().Be(4 * Rows(plain));

        static long Rows(KagPromptModel model) => ((PatchBankReference)model.Classes["object"].Reference.Value).Bank.Layers[0].shape[0];
    }

    [Fact]
    public void Fit_ZeroShot_SavedModelHoldsTheDecoder()
    {
        WriteDecoder(width => width);
        using var model = KagPromptTrainer.Fit(MethodCase.Parts(2), ZeroShot);
        File.Delete(Path.Combine(folder, "decoder.safetensors"));
        using var again = MethodCase.SavedAndLoaded(model);
        again.ShouldInspectAlike(model);
        var result = model.Inspect(MethodCase.Query());
        result.Map.Should().OnlyContain(value => value >= 0 && value <= 1);
        result.Score.Should().Be(result.Map.Max());
        result.Unlikeness.Should().Be(float.NaN);

        using var continued = KagPromptTrainer.Fit(MethodCase.Parts(2),
            ZeroShot with { Method = new AnomalyGptOptions { Branch = AnomalyGptBranch.ZeroShot } }, model);
        continued.ShouldInspectAlike(model);
    }

    [Fact]
    public void Fit_ZeroShotWithoutADecoder_SaysWhatToName()
        => FluentActions.Invoking(()
            => KagPromptTrainer.Fit(MethodCase.Parts(1),
            ZeroShot with { Method = new AnomalyGptOptions { Branch = AnomalyGptBranch.ZeroShot } }).Dispose())
            .Should().Throw<ArgumentException>().WithMessage("*DecoderPath*'compact'*FewShot*");

    [Fact]
    public void Fit_DecoderOfOtherFeatures_IsRefused()
    {
        WriteDecoder(width => width + 1);
        FluentActions.Invoking(() => KagPromptTrainer.Fit(MethodCase.Parts(1), ZeroShot).Dispose()).Should()
            .Throw<CheckpointMismatchException>().WithMessage("*image_decoder.fc.0.weight*");
    }

    [Fact]
    public void Fit_ZeroShotOnABackboneWithoutText_IsRefused()
        => FluentActions.Invoking(() => KagPromptTrainer.Fit(MethodCase.Parts(1), ZeroShot with { Backbone = new() { Name = "resnet18" } })
            .Dispose())
            .Should().Throw<ArgumentException>().WithMessage("*anomalygpt*text tower*'resnet18'*");

    [Fact]
    public void Validate_DecoderForTheFewShotBranch_IsRefused()
        => FluentActions.Invoking(() => (FewShot with { Method = new AnomalyGptOptions { DecoderPath = "decoder.pt" } }).Validate())
            .Should().Throw<ArgumentException>().WithMessage("*Branch*ZeroShot*decoder.pt*");

    public void Dispose()
    {
        Directory.Delete(folder, recursive: true);
        scope.Dispose();
    }

    /// <summary>Heads of random values for the embedded backbone with a text side.</summary>
    private void WriteDecoder(Func<int, int> width)
    {
        using var tower = CompactBackbone.Embedded.LoadVision(torch.ScalarType.Float32, roundToHalf: false);
        using var random = new torch.Generator(5);
        TinyBackbones.WriteSafetensors(Path.Combine(folder, "decoder.safetensors"), tower.Info.TapWidths.SelectMany((tap, layer) => new[]
        {
            (Name: $"image_decoder.fc.{layer}.weight", Value: torch.randn([tower.Info.JointWidth, width(tap)], generator: random)),
            (Name: $"image_decoder.fc.{layer}.bias", Value: torch.randn([tower.Info.JointWidth], generator: random)),
        }).ToDictionary(entry => entry.Name, entry => entry.Value));
    }
}
