using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.TestSupport;
using Microsoft.ML.KagPrompt.Text;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Model;

/// <summary>Models on backbones from files: how they are saved, found again, and combined.</summary>
public sealed class BackboneModelTests : IDisposable
{
    private static readonly TrainingImage[] Parts = [.. Enumerable.Range(0, 3).Select(i => new TrainingImage { Image = TestImages.Part(64, 60, i) })];

    private readonly DisposeScope scope = torch.NewDisposeScope();
    private readonly string folder = Directory.CreateTempSubdirectory("kagprompt-backbones-").FullName;
    private readonly FitChoices options;

    public BackboneModelTests()
    {
        TinyBackbones.WriteSafetensors(In("clip.safetensors"), TinyBackbones.Clip(1));
        TinyBackbones.WriteSafetensors(In("dino.safetensors"), TinyBackbones.DinoV2(2));
        TinyBackbones.WriteVocabulary(folder);
        options = new() { Backbone = In("clip.safetensors"), Epochs = 1, BatchSize = 4, Device = "cpu", Seed = 3 };
    }

    [Theory]
    [InlineData(GraphVariant.Paper)]
    [InlineData(GraphVariant.Released)]
    public void Load_ReferredBackbone_InspectsBitForBitAlike(GraphVariant variant)
    {
        using var model = KagPromptTrainer.Fit(Parts, options with { Variant = variant, BackboneStorage = BackboneStorage.Refer });
        var saved = Save(model);
        using var again = Load(saved);
        ShouldAgree(again, model);
        ((KagOptions)again.Options.Method).Prompt.Variant.Should().Be(variant);
        using var embedding = KagPromptTrainer.Fit(Parts, options with { Variant = variant, BackboneStorage = BackboneStorage.Embed });
        Save(embedding).Length.Should().BeGreaterThan(saved.Length + 200_000, "only one of them holds the tower");
    }

    [Fact]
    public void Load_EmbeddedBackbone_NeedsNoFile()
    {
        BackboneConverter.Convert(In("clip.safetensors"), In("half"));
        using var model = KagPromptTrainer.Fit(Parts, options with { Backbone = In("half"), BackboneStorage = BackboneStorage.Embed });
        using var referring = KagPromptTrainer.Fit(Parts, options with { Backbone = In("half"), BackboneStorage = BackboneStorage.Refer });
        ShouldAgree(referring, model);
        var saved = Save(model);
        Directory.Delete(folder, recursive: true);
        using var again = Load(saved);
        ShouldAgree(again, model);
        Directory.CreateDirectory(folder);
    }

    [Theory]
    [InlineData("")]
    [InlineData("backbones")]
    [InlineData("mine")]
    [InlineData("backbones/mine")]
    public void Load_MovedBackbone_IsFoundByItsContent(string place)
    {
        using var model = KagPromptTrainer.Fit(Parts, options with { Epochs = 0, BackboneStorage = BackboneStorage.Refer });
        var saved = Save(model);
        var home = Directory.CreateDirectory(In("elsewhere")).FullName;
        Directory.CreateDirectory(Path.Combine(home, place));
        File.Move(In("clip.safetensors"), Path.Combine(home, place, "renamed.bin"));
        using var again = Load(saved, home);
        ShouldAgree(again, model);
    }

    [Fact]
    public void Load_EnvironmentVariable_NamesFolders()
    {
        using var model = KagPromptTrainer.Fit(Parts, options with { Epochs = 0, BackboneStorage = BackboneStorage.Refer });
        var saved = Save(model);
        var home = Directory.CreateDirectory(In("elsewhere")).FullName;
        File.Move(In("clip.safetensors"), Path.Combine(home, "clip.safetensors"));
        Environment.SetEnvironmentVariable(BackboneSearch.EnvironmentVariable, string.Join(Path.PathSeparator, In("absent"), home));
        try
        {
            using var again = Load(saved);
            ShouldAgree(again, model);
        }
        finally
        {
            Environment.SetEnvironmentVariable(BackboneSearch.EnvironmentVariable, null);
        }
    }

    [Fact]
    public void Load_BackboneGoneOrChanged_SaysWhereItLooked()
    {
        using var model = KagPromptTrainer.Fit(Parts, options with { Epochs = 0, BackboneStorage = BackboneStorage.Refer });
        var saved = Save(model);
        var bytes = File.ReadAllBytes(In("clip.safetensors"));
        bytes[^3] ^= 4;
        File.WriteAllBytes(In("clip.safetensors"), bytes);
        FluentActions.Invoking(() => Load(saved, In("absent"), folder).Dispose()).Should().Throw<ModelFormatException>()
            .WithMessage($"*'clip.safetensors'*SHA-256*Looked in '{In("absent")}'*other content*: '{In("clip.safetensors")}'*{BackboneSearch.EnvironmentVariable}*");
        File.Delete(In("clip.safetensors"));
        FluentActions.Invoking(() => Load(saved, In("absent")).Dispose()).Should().Throw<ModelFormatException>().WithMessage($"*Looked in '{In("absent")}'*");
    }

    [SkippableFact]
    public void Load_LinkedBackbone_IsReadThroughTheLink()
    {
        // As model caches lay files out. Making links takes a privilege on Windows.
        Skip.If(OperatingSystem.IsWindows());
        BackboneConverter.Convert(In("clip.safetensors"), In("made"));
        var linked = Directory.CreateDirectory(In("linked")).FullName;
        foreach (var file in Directory.GetFiles(In("made")))
        {
            File.CreateSymbolicLink(Path.Combine(linked, Path.GetFileName(file)), file);
        }

        File.CreateSymbolicLink(Path.Combine(linked, "gone"), In("nowhere"));
        using var model = KagPromptTrainer.Fit(Parts, options with { Backbone = linked, BackboneStorage = BackboneStorage.Refer });
        using var again = Load(Save(model), linked);
        ShouldAgree(again, model);
    }

    [Fact]
    public void Load_FolderThatOnlyTheModelNames_IsNotLookedIn()
    {
        using var model = KagPromptTrainer.Fit(Parts, options with { Epochs = 0, BackboneStorage = BackboneStorage.Refer, BackboneFolders = [folder] });
        FluentActions.Invoking(() => Load(Save(model), In("absent")).Dispose()).Should().Throw<ModelFormatException>().WithMessage($"*Looked in '{In("absent")}', '{In("absent/backbones")}' and*");
    }

    [Fact]
    public void Fit_BackboneWithAValueThatIsNoNumber_NamesItsTensor()
    {
        var weights = TinyBackbones.Clip(1);
        weights["visual.transformer.resblocks.2.mlp.c_fc.weight"][3, 5] = float.NaN;
        TinyBackbones.WriteSafetensors(In("clip.safetensors"), weights);
        FluentActions.Invoking(() => KagPromptTrainer.Fit(Parts, options)).Should().Throw<CheckpointFormatException>().WithMessage("*clip.safetensors*'visual.transformer.resblocks.2.mlp.c_fc.weight'*not numbers*");
    }

    [Fact]
    public void Inspect_BankThatTurnedIntoNoNumbers_IsAnErrorThatNamesImageAndClass()
    {
        using var model = KagPromptTrainer.Fit(Parts, options with { Epochs = 0 });
        model.Bank().Layers[2].fill_(float.NaN);
        FluentActions.Invoking(() => model.Inspect([Parts[0].Image, Parts[1].Image], [null, null])).Should().Throw<NotFiniteException>().WithMessage("*image 1 of 2*'object'*not a finite number*");
    }

    [Fact]
    public void Fit_StepsThatAreFarTooLarge_StopWithStepAndRate()
        => FluentActions.Invoking(() => KagPromptTrainer.Fit(Parts, options with { LearningRate = 1e30f, GradientClip = 1e30f, Epochs = 3 })).Should().Throw<NotFiniteException>().WithMessage("*step*epoch*rate*LearningRate*");

    [Theory]
    [InlineData(BackboneStorage.Embed)]
    [InlineData(BackboneStorage.Refer)]
    public void Fit_MemoryBackboneBesideAnother_BankHasItsFeatures(BackboneStorage storage)
    {
        var both = options with { MemoryBackbone = In("dino.safetensors"), BackboneStorage = storage };
        using var model = KagPromptTrainer.Fit(Parts, both);
        using var bankOnly = KagPromptTrainer.Fit(Parts, options with { Backbone = In("dino.safetensors"), Epochs = 0, BackboneStorage = storage });
        var (mine, dino) = (model.Bank(), bankOnly.Bank());
        for (var layer = 0; layer < 4; layer++)
        {
            mine.Layers[layer].ShouldBeClose(dino.Layers[layer], 0, $"layer {layer}");
        }

        using var again = Load(Save(model));
        ShouldAgree(again, model);
        again.Options.Backbone.MemoryName.Should().Be(both.MemoryBackbone);
    }

    [Fact]
    public void Fit_NoTextSide_TrainsNoPromptAndSaysSo()
        => FluentActions.Invoking(() => KagPromptTrainer.Fit(Parts, options with { Backbone = In("dino.safetensors") })).Should().Throw<KagPromptException>().WithMessage("*no text side*Backbone.MemoryName*");

    [Fact]
    public void Fit_NoVocabulary_SaysWhichFileIsMissing()
    {
        File.Delete(In("vocab.json"));
        FluentActions.Invoking(() => KagPromptTrainer.Fit(Parts, options)).Should().Throw<KagPromptException>().WithMessage("*no vocabulary*");
        using var bankOnly = KagPromptTrainer.Fit(Parts, options with { Epochs = 0 });
        bankOnly.HasPrompt.Should().BeFalse();
    }

    [Fact]
    public void Fit_BFloat16_ScoresNearFloat32AndLoadsBitForBit()
    {
        using var exact = KagPromptTrainer.Fit(Parts, options with { Epochs = 0 });
        using var quick = KagPromptTrainer.Fit(Parts, options with { Epochs = 0, Precision = Precision.BFloat16 });
        var query = TestImages.Part(70, 60, 40, defective: true);
        var (expected, actual) = (exact.Inspect([query], [null])[0].Score, quick.Inspect([query], [null])[0].Score);
        actual.Should().BeApproximately(expected, 0.02f);
        actual.Should().NotBe(expected, "it was computed in another precision");
        using var again = Load(Save(quick));
        ShouldAgree(again, quick);
        again.Options.Backbone.Precision.Should().Be(Precision.BFloat16);
    }

    [SkippableFact]
    public void Fit_Auto_ScoresAsWhatTheMachineIsFasterIn()
    {
        var query = TestImages.Part(70, 60, 40, defective: true);
        float Score(Precision precision)
        {
            using var model = KagPromptTrainer.Fit(Parts, options with { Epochs = 0, Precision = precision });
            return model.Inspect([query], [null])[0].Score;
        }

        // As the system tells it, and not the library.
        string[] faster = ["avx512_bf16", "amx_bf16"];
        Skip.IfNot(File.Exists("/proc/cpuinfo") && !torch.cuda.is_available(), "The system does not tell the processor's flags so, or has a GPU.");
        var flags = File.ReadLines("/proc/cpuinfo").First(line => line.StartsWith("flags", StringComparison.Ordinal)).Split(' ');
        var expected = faster.Intersect(flags).Any() ? Precision.BFloat16 : Precision.Float32;
        Score(Precision.Auto).Should().Be(Score(expected)).And.NotBe(
            Score(expected == Precision.BFloat16 ? Precision.Float32 : Precision.BFloat16));
    }

    [Theory]
    [InlineData(BackboneStorage.Embed)]
    [InlineData(BackboneStorage.Refer)]
    public void Fit_GivenTaps_AreTappedAndSaved(BackboneStorage storage)
    {
        var deep = TinyBackbones.Clip(1);
        foreach (var (name, tensor) in deep.Where(entry => entry.Key.Contains("visual.transformer.resblocks.3.", StringComparison.Ordinal)).ToArray())
        {
            deep.Add(name.Replace("resblocks.3.", "resblocks.4.", StringComparison.Ordinal), tensor);
        }

        TinyBackbones.WriteSafetensors(In("clip.safetensors"), deep);
        using var usual = KagPromptTrainer.Fit(Parts, options with { Epochs = 0, BackboneStorage = storage });
        using var model = KagPromptTrainer.Fit(Parts, options with { Epochs = 0, BackboneStorage = storage, Taps = [1, 2, 4, 5] });
        torch.Tensor Bank(KagPromptModel of, int layer) => of.Bank().Layers[layer];
        Bank(model, 3).ShouldBeClose(Bank(usual, 3), 0, "block 5 is the last quarter too");
        Bank(model, 2).sub(Bank(usual, 2)).abs().max().ToSingle().Should().BeGreaterThan(0.01f, "block 4, not 3");
        using var again = Load(Save(model));
        ShouldAgree(again, model);
        FluentActions.Invoking(() => KagPromptTrainer.Fit(Parts, options with { Taps = [1, 2, 3, 6] })).Should().Throw<ArgumentException>().WithMessage("*Taps*1 to 5*1, 2, 3, 6*");
        FluentActions.Invoking(() => KagPromptTrainer.Fit(Parts, options with { Taps = [1, 2] })).Should().Throw<ArgumentException>().WithMessage("*Backbone.Taps: expected 4 with a graph prompt, got 2*");
        FluentActions.Invoking(() => KagPromptTrainer.Fit(Parts, options with { Backbone = "compact", Taps = [1, 2, 3, 4] })).Should().Throw<ArgumentException>().WithMessage("*Taps*compact*");
        FluentActions.Invoking(((InspectionOptions)(options with { Taps = [1, 3, 2, 4], MemoryTaps = [1] })).Validate).Should().Throw<ArgumentException>().WithMessage("*Taps*1, 3, 2, 4*MemoryTaps*");
    }

    [Theory]
    [InlineData(56)]
    [InlineData(84)]
    [InlineData(112)]
    public void Fit_OtherImageSizes_ResamplePositions(int size)
    {
        using var model = KagPromptTrainer.Fit(Parts, options with { ImageSize = size });
        var result = model.Inspect([TestImages.Part(70, 60, 40)], [null])[0];
        result.Map.Should().HaveCount(size * size).And.OnlyContain(value => float.IsFinite(value));
    }

    [Fact]
    public void Fit_OwnPrompts_ReplaceThePapersForTheirClass()
    {
        var named = Parts.SelectMany(part => (TrainingImage[])[part with { ClassName = "bolt" }, part with { ClassName = "nut" }]).ToArray();
        using var usual = KagPromptTrainer.Fit(named, options);
        using var own = KagPromptTrainer.Fit(named, options with { Prompts = new Dictionary<string, PromptEnsemble> { ["bolt"] = new(["a clean {}"], ["a rusty {}", "a bent {}"]) } });
        torch.Tensor Text(KagPromptModel model, string name) => model.Classes[name].Reference.Value.TextFeatures!;
        Text(own, "nut").ShouldBeClose(Text(usual, "nut"), 0, "the paper's");
        Text(own, "bolt").sub(Text(usual, "bolt")).abs().max().ToSingle().Should().BeGreaterThan(1e-3f);
        using var again = Load(Save(own));
        Text(again, "bolt").ShouldBeClose(Text(own, "bolt"), 0, "saved");
    }

    [Fact]
    public void Validate_WrongPrompts_AreAllNamed()
    {
        var wrong = options with
        {
            Prompts = new Dictionary<string, PromptEnsemble> { ["a"] = new([], ["x"]), ["b"] = new(["x"], [" "]), ["c"] = new(["x"], [new string('x', 1001)]), ["d"] = new(["x"], null!) },
        };
        FluentActions.Invoking(((InspectionOptions)wrong).Validate).Should().Throw<ArgumentException>().WithMessage("*Prompt.Sentences['a'].Normal*Sentences['b'].Abnormal*Sentences['c'].Abnormal*Sentences['d'].Abnormal*");
    }

    [Fact]
    public void Fit_Released_KeepsRunningStatisticsOfItsImages()
    {
        using var model = KagPromptTrainer.Fit(Parts, options with { Variant = GraphVariant.Released });
        var (mean, variance) = (model.Prompt()!.Weights["output_norm.mean"], model.Prompt()!.Weights["output_norm.variance"]);
        mean.abs().max().ToSingle().Should().BeGreaterThan(0);
        variance.sub(1).abs().min().ToSingle().Should().BeGreaterThan(0);
        mean.requires_grad.Should().BeFalse();
    }

    [SkippableFact]
    [Trait("Category", "Golden")]
    public void Fit_AuthorsCheckpointOfOtherSizes_SaysWhichBackboneItNeeds()
    {
        var path = SharedFiles.Golden("kag_released_tiny.pth");
        FluentActions.Invoking(() => KagPromptTrainer.Fit(Parts, new FitChoices { Epochs = 0, Variant = GraphVariant.Released, CheckpointPath = path }))
            .Should().Throw<CheckpointMismatchException>().WithMessage("*compact*");
        FluentActions.Invoking(() => KagPromptTrainer.Fit(Parts, options with { Epochs = 0, CheckpointPath = path })).Should().Throw<ArgumentException>().WithMessage("*Variant*Released*");
    }

    public void Dispose()
    {
        scope.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private string In(string name) => Path.Combine(folder, name);

    private static byte[] Save(KagPromptModel model)
    {
        using var stream = new MemoryStream();
        model.Save(stream);
        return stream.ToArray();
    }

    /// <summary>With the backbones' folder, unless others are given.</summary>
    private KagPromptModel Load(byte[] saved, params string[] folders) => KagPromptModel.Load(new MemoryStream(saved), "cpu", folders.Length > 0 ? folders : [folder]);

    private static void ShouldAgree(KagPromptModel actual, KagPromptModel expected)
    {
        var queries = Enumerable.Range(0, 2).Select(i => TestImages.Part(70, 60, 40 + i, defective: i == 1)).ToArray();
        var (one, other) = (actual.Inspect(queries, [null, null]), expected.Inspect(queries, [null, null]));
        for (var i = 0; i < queries.Length; i++)
        {
            one[i].Score.Should().Be(other[i].Score);
            one[i].Map.AsSpan().SequenceEqual(other[i].Map).Should().BeTrue();
        }
    }
}
