using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Tests.Methods;

/// <summary>What holds for every method, whatever it computes. A new one is a row of <see cref="Rows"/>.</summary>
public sealed class EveryMethodTests(EveryMethodTests.Fitted fitted) : IClassFixture<EveryMethodTests.Fitted>
{
    private const int Side = 112;

    /// <summary>A CLIP of random weights, in a file of its own, for methods that need a transformer.</summary>
    internal const string TinyClip = "tiny-clip";

    // The part, and a dark spot on it.
    internal static readonly PixelBuffer[] Supports = [.. Enumerable.Range(0, 3).Select(seed => TestImages.Part(Side, Side, seed))];
    internal static readonly PixelBuffer Defective = Spotted(TestImages.Part(Side, Side, 9));

    /// <summary>Each method, on the smallest backbone that it can use.</summary>
    public static TheoryData<string, string> Rows => new()
    {
        { "kag", "resnet18" },
        { "patchcore", "resnet18" },
        { "patchcore", "compact" },
        { "spade", "resnet18" },
        { "spade", "compact" },
        { "winclip", TinyClip },
        { "aprilgan", "compact" },
        { "anomalygpt", "resnet18" },
        { "anomalydino", "resnet18" },
        { "subspacead", "resnet18" },
        { "rad", "resnet18" },
        { "promptad", TinyClip },
    };

    [Fact]
    public void Rows_NameEveryMethod()
        => Rows.Select(row => (string)row[0]).Distinct().Order().Should()
            .Equal(InspectionMethods.Names.Order(), "a method without a row is not tested here");

    [Theory]
    [MemberData(nameof(Rows))]
    public void Save_AndLoad_ScoresTheSame(string method, string backbone)
    {
        var model = fitted.Model(method, backbone);
        using var stream = new MemoryStream();
        model.Save(stream);
        stream.Position = 0;
        using var again = KagPromptModel.Load(stream, "cpu");
        InspectionMethods.NameOf(again.Options.Method).Should().Be(method);
        var (before, after) = (model.Inspect(Defective), again.Inspect(Defective));
        after.Score.Should().Be(before.Score, "weights and banks are saved as they are");
        after.Map.Should().Equal(before.Map);
        again.CalibrationOf("a").Threshold.Should().Be(model.CalibrationOf("a").Threshold);
        float.IsFinite(before.Score).Should().BeTrue();
        before.Map.Should().HaveCount(Side * Side).And.OnlyContain(value => float.IsFinite(value));
    }

    /// <summary>Rows whose weights tell parts apart: a transformer of random weights does not, nor do heads after one pass.</summary>
    public static IEnumerable<object[]> TrainedRows => Rows.Where(row => row[0] is not "aprilgan" && row[1] is not TinyClip);

    [Theory]
    [MemberData(nameof(TrainedRows))]
    public void Inspect_ADefect_ScoresAboveASupportAndMarksIt(string method, string backbone)
    {
        var model = fitted.Model(method, backbone);
        var (sound, defective) = (model.Inspect(Supports[0]), model.Inspect(Defective));
        defective.Score.Should().BeGreaterThan(sound.Score);
        var peak = Array.IndexOf(defective.Map, defective.Map.Max());
        (peak / Side, peak % Side).Should()
            .Match<(int Row, int Column)>(
            place => Math.Abs(place.Row - (Side / 2)) < 32 && Math.Abs(place.Column - (Side / 2)) < 32, "the spot is in the middle");
        model.Inspect(Supports[0]).Score.Should().Be(sound.Score, "the same image has the same score");
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public void Adapt_ToASecondClass_KeepsTheFirst(string method, string backbone)
    {
        var model = fitted.Model(method, backbone);
        using var both = KagPromptTrainer.Adapt(model, Images("b", [Defective]));
        both.ClassNames.Should().BeEquivalentTo("a", "b");
        both.Inspect(Defective, "a").Score.Should().Be(model.Inspect(Defective).Score);
        both.Inspect(Defective, "b").Score.Should().BeLessThan(both.Inspect(Defective, "a").Score, "class b knows the spot");
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public void Fit_WithARegion_SeesNothingOutside(string method, string backbone)
    {
        // The left half alone.
        var region = InspectionRegion.FromShares([[(0, 0), (0.5, 0), (0.5, 1), (0, 1)]]);
        var options = Options(method, backbone) with { Regions = new Dictionary<string, InspectionRegion> { ["a"] = region } };
        using var model = KagPromptTrainer.Fit(Images("a", Supports), options);
        var changed = Changed(Supports[0], column => column >= Side / 2);
        using var other = KagPromptTrainer.Fit(Images("a", [changed, .. Supports.Skip(1)]), options);
        var (first, second) = (model.Inspect(Defective), other.Inspect(Changed(Defective, column => column >= Side / 2)));
        second.Score.Should().Be(first.Score, "neither supports nor images are looked at outside");
        first.Map.Index().Where(pixel => pixel.Index % Side >= (Side / 2) + 1).Should()
            .OnlyContain(pixel => float.IsNaN(pixel.Item), "what is not inspected has no value");
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public void Fit_WithoutANormalImage_IsRefused(string method, string backbone)
        => FluentActions.Invoking(() => KagPromptTrainer.Fit([], Options(method, backbone))).Should().Throw<InsufficientDataException>();

    [Theory]
    [MemberData(nameof(Rows))]
    public void Check_WhatCanBegin_SaysNothing_AndWhatCannotThrows(string method, string backbone)
    {
        FluentActions.Invoking(() => KagPromptTrainer.Check(Options(method, backbone))).Should().NotThrow();
        FluentActions.Invoking(() => KagPromptTrainer.Check(Options(method, "nowhere"))).Should().Throw<ArgumentException>()
            .WithMessage("*'nowhere'*");
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public void Fit_FromAModelOfAnotherMethod_IsRefused(string method, string backbone)
    {
        var other = method == "patchcore" ? "spade" : "patchcore";
        var initial = fitted.Model(other, backbone);
        FluentActions.Invoking(() => KagPromptTrainer.Fit(Images("a", Supports), Options(method, backbone), initial)).Should()
            .Throw<ArgumentException>().WithMessage($"*Method*{other}*{method}*");
    }

    /// <summary>A model a row, fitted when first asked for.</summary>
    public sealed class Fitted : IDisposable
    {
        private readonly Dictionary<(string, string), KagPromptModel> models = [];

        public KagPromptModel Model(string method, string backbone)
        {
            if (!models.TryGetValue((method, backbone), out var model))
            {
                models.Add((method, backbone), model = KagPromptTrainer.Fit(Images("a", Supports), Options(method, backbone)));
            }

            return model;
        }

        public void Dispose()
        {
            foreach (var model in models.Values)
            {
                model.Dispose();
            }
        }
    }

    private static readonly Lazy<string> Clips = new(() =>
    {
        var folder = Directory.CreateTempSubdirectory("kagprompt-every-method-").FullName;
        TinyBackbones.WriteSafetensors(Path.Combine(folder, TinyClip), TinyBackbones.Clip(1));
        TinyBackbones.WriteVocabulary(folder);
        // Other classes of tests read it, too.
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        return folder;
    });

    internal static InspectionOptions Options(string method, string backbone, string device = "cpu")
    {
        var chosen = InspectionMethods.Default(method);
        return new()
        {
            // The smallest that tells: no training, supports as they are.
            Method = chosen switch
            {
                KagOptions kag => kag with { Training = new() { Epochs = 0 }, Prompt = new() { FromScratch = true } },
                AprilGanOptions april => april with { Training = new() { Epochs = 1 } },
                PromptAdOptions prompts => prompts with { Epochs = 2 },
                _ => chosen,
            },
            Backbone = new() { Name = backbone, Folders = [Clips.Value] },
            Images = new() { Size = Side },
            Device = device,
            Seed = 1,
        };
    }

    internal static IEnumerable<TrainingImage> Images(string className, IEnumerable<PixelBuffer> squares)
        => squares.Select(square => new TrainingImage { Image = square, ClassName = className });

    private static PixelBuffer Spotted(PixelBuffer picture)
    {
        var rgb = (byte[])picture.Rgb.Clone();
        for (var row = (Side / 2) - 10; row < (Side / 2) + 10; row++)
        {
            for (var column = (Side / 2) - 10; column < (Side / 2) + 10; column++)
            {
                rgb.AsSpan(3 * ((row * Side) + column), 3).Clear();
            }
        }

        return new PixelBuffer(Side, Side, rgb);
    }

    private static PixelBuffer Changed(PixelBuffer picture, Func<int, bool> where)
    {
        var rgb = (byte[])picture.Rgb.Clone();
        for (var p = 0; p < Side * Side; p++)
        {
            if (where(p % Side))
            {
                rgb[3 * p] = (byte)(255 - rgb[3 * p]);
            }
        }

        return new PixelBuffer(Side, Side, rgb);
    }
}
