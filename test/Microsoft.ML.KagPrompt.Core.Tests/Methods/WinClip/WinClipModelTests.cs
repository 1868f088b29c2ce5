using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Backbones.Vit;
using Microsoft.ML.KagPrompt.Methods;
using Microsoft.ML.KagPrompt.Methods.WinClip;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Methods.WinClip;

/// <summary>WinCLIP as users reach it: a model of a tiny CLIP.</summary>
public sealed class WinClipModelTests : IDisposable
{
    private const int Side = TinyBackbones.ImageSize;

    private readonly DisposeScope scope = torch.NewDisposeScope();
    private readonly string folder = Directory.CreateTempSubdirectory("kagprompt-winclip-").FullName;

    public WinClipModelTests()
    {
        TinyBackbones.WriteSafetensors(In("clip.safetensors"), TinyBackbones.Clip(1));
        TinyBackbones.WriteSafetensors(In("dino.safetensors"), TinyBackbones.DinoV2(2));
        TinyBackbones.WriteVocabulary(folder);
    }

    private InspectionOptions Options
        => new() { Backbone = new() { Name = In("clip.safetensors") }, Method = new WinClipOptions(), Device = "cpu", Seed = 3 };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Load_SavedModel_InspectsBitForBitAlike(bool zeroShot)
    {
        using var model = KagPromptTrainer.Fit(Parts(3), Options with { Method = new WinClipOptions { ZeroShot = zeroShot } });
        using var saved = new MemoryStream();
        model.Save(saved);
        saved.Position = 0;

        using var again = KagPromptModel.Load(saved, "cpu", [folder]);

        var (one, other) = (model.Inspect(Query(true)), again.Inspect(Query(true)));
        other.Score.Should().Be(one.Score);
        other.Map.Should().Equal(one.Map);
        ((WinClipOptions)again.Options.Method).ZeroShot.Should().Be(zeroShot);
        float.IsNaN(one.Unlikeness).Should().Be(zeroShot);
    }

    [Fact]
    public void Inspect_SupportItself_LeavesHalfTheScoreOfWords()
    {
        using var words = KagPromptTrainer.Fit(Parts(2), Options with { Method = new WinClipOptions { ZeroShot = true } });
        using var both = KagPromptTrainer.Fit(Parts(2), Options);
        var support = Parts(2)[1].Image;

        both.Inspect(support).Score.Should().BeApproximately(words.Inspect(support).Score / 2, 1e-4f);
        both.Inspect(support).Map.Max().Should().BeApproximately(words.Inspect(support).Map.Max() / 2, 1e-4f);
    }

    [Fact]
    public void Inspect_SpotOnASupport_RaisesTheScoreAndTheMapThereMost()
    {
        using var model = KagPromptTrainer.Fit(Parts(2), Options);
        var support = Parts(2)[0].Image;

        var (clean, spotted) = (model.Inspect(support), model.Inspect(Spotted(support, 6)));

        spotted.Score.Should().BeGreaterThan(clean.Score + 0.01f);
        var change = spotted.Map.Zip(clean.Map, (after, before) => after - before).ToArray();
        var peak = Array.IndexOf(change, change.Max());
        (peak / Side, peak % Side).Should()
            .Match<(int Row, int Column)>(place => Math.Abs(place.Row - 26) <= 16 && Math.Abs(place.Column - 12) <= 16);
    }

    [Fact]
    public void Inspect_InSixteenBit_ScoresNearly()
    {
        using var single = KagPromptTrainer.Fit(Parts(2), Options);
        using var half = KagPromptTrainer.Fit(Parts(2),
            Options with { Backbone = new() { Name = In("clip.safetensors"), Precision = Precision.BFloat16 } });
        half.Inspect(Query(true)).Score.Should().BeApproximately(single.Inspect(Query(true)).Score, 0.02f);
    }

    [Fact]
    public void Inspect_OtherSupports_ChangeTheScoreOnlyWithSupports()
    {
        float Score(bool zeroShot, int first)
        {
            using var model = KagPromptTrainer.Fit([.. Parts(5).Skip(first).Take(2)],
                Options with { Method = new WinClipOptions { ZeroShot = zeroShot } });
            return model.Inspect(Query(false)).Score;
        }

        Score(true, 0).Should().Be(Score(true, 3));
        Score(false, 0).Should().NotBe(Score(false, 3));
    }

    [Fact]
    public void Inspect_OwnSentencesTheOtherWayRound_TurnsTheScoreOfWords()
    {
        var turned = new PromptEnsemble(["a broken {}."], ["a {}."]);
        float Score(PromptEnsemble prompts)
        {
            var own = new Dictionary<string, PromptEnsemble> { ["object"] = prompts };
            using var model = KagPromptTrainer.Fit(
                Parts(1), Options with { Method = new WinClipOptions { ZeroShot = true, Prompts = own } });
            return model.Inspect(Query(false)).Score;
        }

        Score(turned).Should().BeApproximately(1 - Score(new(turned.Abnormal, turned.Normal)), 1e-5f);
    }

    [Fact]
    public void Describe_AClass_AveragesItsSentencesAsTheTowerGivesThem()
    {
        using var texts = new PromptTexts(
            () => BackboneSources.Open(In("clip.safetensors"), []), new Dictionary<string, PromptEnsemble>(), torch.CPU);
        var info = new VisionTowerInfo
        {
            PatchSize = 14, TapWidths = [8], JointWidth = 4, ImageSize = 56, Mean = [0, 0, 0], Std = [1, 1, 1],
        };
        using var method = new WinClipMethod(new WinClipOptions(), new MethodSizes(info, info, 56, MapUpsampling.CellCentres, torch.CPU));

        var described = method.Describe(texts, "metal_nut");

        var (tower, sentences) = (texts.Side.Tower, WinClipSentences.All.For("metal nut"));
        torch.Tensor Mean(IReadOnlyList<string> group)
            => tower.Embed(torch.stack([.. group.Select(sentence => torch.tensor(texts.Side.Tokenizer.Encode(sentence)))])).mean([0]);
        described.ShouldBeClose(torch.stack([Mean(sentences.Normal), Mean(sentences.Abnormal)]), 1e-5, "raw means");
        described.norm(1).sub(1).abs().min().ToSingle().Should().BeGreaterThan(0.01f, "they keep their length");
    }

    [Theory]
    [InlineData("compact", "winclip*windows*'compact'*CLIP or OpenCLIP")]
    [InlineData("resnet18", "winclip*windows*'resnet18'*CLIP or OpenCLIP")]
    [InlineData("dino.safetensors", "winclip*text tower*CLIP")]
    public void Fit_BackboneWithoutWindowsOrWords_NamesThoseThatHaveThem(string backbone, string message)
    {
        var name = backbone.Contains('.') ? In(backbone) : backbone;
        FluentActions.Invoking(() => KagPromptTrainer.Fit(Parts(1), Options with { Backbone = new() { Name = name } }).Dispose())
            .Should().Throw<ArgumentException>().WithMessage($"*{message}*")
            .Which.Message.Replace($"backbone '{name}'", "").Should().NotContain("compact", "it is refused, too");
    }

    [Fact]
    public void Create_FewerPatchesThanTheLargestWindow_SaysHowManyItTakes()
    {
        var info = new VisionTowerInfo
        {
            PatchSize = 32, TapWidths = [8], JointWidth = 4, ImageSize = 64, Mean = [0, 0, 0], Std = [1, 1, 1],
        };
        var act = () => new WinClipOptions().Read(new MethodSizes(info, info, 64, MapUpsampling.CellCentres, torch.CPU), null!);
        act.Should().Throw<ArgumentException>().WithMessage("*at least 3 patches of 32 pixels*64*");
    }

    [Theory]
    [InlineData(SupportViews.AsGiven)]
    [InlineData(SupportViews.TurnedAndMirrored)]
    public void Inspect_SpotOutsideTheRegion_ChangesNothing_InsideItDoes(SupportViews views)
    {
        var region = InspectionRegion.FromPolygons(Side, Side, [[(28, 0), (56, 0), (56, 56), (28, 56)]]);
        var options = Options with
        {
            Method = new WinClipOptions { Memory = new() { Views = views } },
            Regions = new Dictionary<string, InspectionRegion> { ["object"] = region },
        };
        using var model = KagPromptTrainer.Fit(Parts(2), options);
        using var spotted = KagPromptTrainer.Fit([.. Parts(2).Select(part => part with { Image = Spotted(part.Image, 6) })], options);

        var results = model.Inspect([Query(false), Spotted(Query(false), 6), Spotted(Query(false), 40)], new string?[3]);

        results[1].Score.Should().BeApproximately(results[0].Score, 1e-6f);
        results[1].Map.Zip(results[0].Map).Where(pair => !pair.First.Equals(pair.Second) && !(Math.Abs(pair.First - pair.Second) < 1e-6f))
            .Should().BeEmpty();
        results[2].Score.Should().NotBeApproximately(results[0].Score, 1e-4f);
        spotted.Inspect(Query(false)).Score.Should().BeApproximately(results[0].Score, 1e-6f, "supports show nothing of it either");
        results[0].Map.Index().Where(pixel => float.IsNaN(pixel.Item) != (pixel.Index % Side < 28)).Should().BeEmpty();
    }

    [Fact]
    public void EncodeWindows_WindowOfAllPatches_IsTheImage()
    {
        using var tower = (VisionTransformer)BackboneSources.Open(In("clip.safetensors"), [])
            .LoadVision(torch.ScalarType.Float32, roundToHalf: false);
        var images = torch.randn([2, 3, Side, Side]);
        var patches = Side / tower.Info.PatchSize * (Side / tower.Info.PatchSize);

        using var features = tower.EncodeWindows(images,
            [torch.arange(patches).unsqueeze(0).repeat([3, 1]), torch.tensor(new long[,] { { 5 } })]);

        for (var window = 0; window < 3; window++)
        {
            features.Windows[0].select(1, window).ShouldBeClose(features.ImageEmbedding, 1e-5, "all patches are the whole");
        }

        features.Windows[1].select(1, 0).sub(features.ImageEmbedding).abs().max().ToSingle().Should()
            .BeGreaterThan(0.01f, "one patch is not");
    }

    public void Dispose()
    {
        scope.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private static TrainingImage[] Parts(int count)
        => [.. Enumerable.Range(0, count).Select(i => new TrainingImage { Image = TestImages.Part(Side, Side, i) })];

    private static PixelBuffer Query(bool defective) => TestImages.Part(Side, Side, 50, defective);

    private static PixelBuffer Spotted(PixelBuffer image, int left)
    {
        var rgb = (byte[])image.Rgb.Clone();
        for (var p = 0; p < 12 * 12; p++)
        {
            rgb.AsSpan(3 * (((20 + (p / 12)) * image.Width) + left + (p % 12)), 3).Clear();
        }

        return new PixelBuffer(image.Width, image.Height, rgb);
    }

    private string In(string name) => Path.Combine(folder, name);
}
