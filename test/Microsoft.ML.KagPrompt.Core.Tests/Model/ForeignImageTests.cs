using System.Text.Json.Nodes;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Tests.Model;

/// <summary>Images that do not show the part at all are called, whatever their score; images that do are not.</summary>
public class ForeignImageTests
{
    private static readonly FitChoices Bank = new() { Epochs = 0, Device = "cpu" };

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Inspect_FramesWithoutThePart_AreForeignAndPartsAreNot(int supports)
    {
        using var model = KagPromptTrainer.Fit(Parts(supports), Bank with { ImageSize = 112 });
        var frames = Frames(90, 80, 60).ToArray();
        var found = model.Inspect([.. frames.Select(frame => frame.Image)], new string?[frames.Length]);
        found.Zip(frames).Where(pair => !pair.First.IsForeign).Select(pair => pair.Second.Kind).Should().BeEmpty();
        found.Should().OnlyContain(result => result.IsAnomalous && result.Reason == Inspection.ForeignWord);
        found.Should().OnlyContain(result => result.Unlikeness > model.CalibrationOf("object").UnlikenessLimit);
        var parts = Enumerable.Range(60, 6).Select(seed => TestImages.Part(90, 80, seed, defective: seed % 2 == 0)).ToArray();
        model.Inspect(parts, new string?[parts.Length]).Should().OnlyContain(result => !result.IsForeign);
    }

    [Fact]
    public void Inspect_LenientThreshold_StillCallsForeignImages()
    {
        using var model = KagPromptTrainer.Fit(Parts(3), Bank with { ImageSize = 112 });
        using var lenient = model.WithThreshold(100);
        var results = lenient.Inspect([TestPictures.Plain(90, 80, 0), TestImages.Part(90, 80, 9, defective: true)], [null, null]);
        results.Select(result => result.IsAnomalous).Should().Equal(true, false);
        results.Select(result => result.Reason).Should().Equal(Inspection.ForeignWord, null);
    }

    [SkippableTheory]
    [InlineData("aws_cookie", "magnetic_tile")]
    [InlineData("alien_toy", "aws_cookie")]
    public void Inspect_RealParts_BlankFramesAndAnotherProductAreForeignAndGoodOnesAreNot(string product, string other)
    {
        var train = Read(product, "train/good", 4);
        using var model = KagPromptTrainer.Fit(train.Select(image => new TrainingImage { Image = image }), Bank);
        var frames = Frames(200, 160, 120).Concat(Read(other, "test/good", 3).Select(image => (Kind: other, Image: image))).ToArray();
        var found = model.Inspect([.. frames.Select(frame => frame.Image)], new string?[frames.Length]);
        found.Zip(frames).Where(pair => !pair.First.IsForeign).Select(pair => pair.Second.Kind).Should().BeEmpty();
        var good = Read(product, "test/good", 8);
        model.Inspect(good, new string?[good.Length]).Should().OnlyContain(result => !result.IsForeign);
    }

    [Fact]
    public void Parse_ManifestWithoutALimit_CallsNothingForeign()
    {
        using var model = KagPromptTrainer.Fit(Parts(2), Bank with { ImageSize = 112 });
        using var stream = new MemoryStream();
        model.Save(stream);
        stream.Position = 0;
        using var file = SafetensorsFile.Read(stream, "model");
        var manifest = JsonNode.Parse(file.Metadata["manifest"])!;
        var calibration = manifest["classes"]![0]!["calibration"]!.AsObject();
        foreach (var added in (string[])["unlikenessLimit", "warnings", "farthestSupport"])
        {
            calibration.Remove(added).Should().BeTrue(added);
        }

        var text = manifest.ToJsonString();
        var older = ModelManifest.Parse(text, HashedText.HashOf(text)).Classes[0].Calibration;
        older.IsForeign(2).Should().BeFalse();
        older.Warnings.Should().BeEmpty();
        older.Explanation.Should().Contain("cannot be told from those that do");
    }

    private static IEnumerable<(string Kind, PixelBuffer Image)> Frames(int width, int height, byte background) =>
    [
        ("black", TestPictures.Plain(width, height, 0)), ("white", TestPictures.Plain(width, height, 255)),
        ("grey", TestPictures.Plain(width, height, 128)), ("empty", TestPictures.Plain(width, height, background)),
        ("noise", TestPictures.Noise(width, height, 3)), ("dark", Dark(width, height)),
    ];

    /// <summary>A covered lens: all but black, a little lighter in the middle, with a sensor's noise.</summary>
    private static PixelBuffer Dark(int width, int height)
    {
        var random = new Random(8);
        var rgb = new byte[3 * width * height];
        for (var i = 0; i < rgb.Length; i++)
        {
            var (u, v) = ((i / 3 % width / (double)width) - 0.5, (i / 3 / width / (double)height) - 0.5);
            rgb[i] = (byte)(12 - (20 * ((u * u) + (v * v))) + random.Next(5));
        }

        return new PixelBuffer(width, height, rgb);
    }

    private static PixelBuffer[] Read(string set, string folder, int count)
    {
        var files = Directory.GetFiles(Path.Combine(SharedFiles.Data(set), folder)).Order(StringComparer.Ordinal);
        return [.. files.Take(count).Select(TestImages.Read)];
    }

    private static IEnumerable<TrainingImage> Parts(int count)
        => Enumerable.Range(0, count).Select(i => new TrainingImage { Image = TestImages.Part(90, 80, i) });
}
