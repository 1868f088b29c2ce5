using System.Text;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Cli.Tests;

/// <summary>Files as they are found in the field: of other kinds, linked, twice there, half copied, with masks that do not fit. Nothing is left out without a word.</summary>
public sealed class PhotographsTests(FittedPart part) : IClassFixture<FittedPart>
{
    [Fact]
    public void Score_FolderWithOtherKinds_GivesEachARowAndDoesNotPass()
    {
        Fill("kinds", "a.png", "test/good/0.png", "b.PNG", "test/good/1.png");
        File.WriteAllBytes(part.In("kinds/c.tif"), [.. "II*\0"u8, .. new byte[100]]);
        File.WriteAllText(part.In("kinds/d.heic"), "photograph");
        File.WriteAllText(part.In("kinds/._a.png"), "");
        File.WriteAllText(part.In("kinds/notes.txt"), "nothing");
        var (code, output, error) = Tool.Run("score", part.Model, part.In("kinds"), "--format", "Csv");
        code.Should().Be(3);
        var rows = output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[1..].Select(row => row.Split(',')).ToArray();
        rows.Select(row => Path.GetFileName(row[0]) + " " + row[2]).Should().Equal("a.png no", "b.PNG no", "c.tif ", "d.heic ");
        error.Should().Contain("2 photograph(s)").And.Contain("1 .heic, 1 .tif").And.Contain("4 image(s), 0 anomalous, 2 without a verdict");
    }

    [Fact]
    public void Score_LinksAndFilesNamedTwice_GiveOneRow()
    {
        Fill("linked/today", "x.png", "test/good/0.png");
        File.CreateSymbolicLink(part.In("linked/today/up"), "..");
        var (code, output, error) = Tool.Run("score", part.Model, part.In("linked"), part.In("linked/today/x.png"), "--format", "Jsonl");
        code.Should().Be(0, error);
        output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Should().ContainSingle();
    }

    [Fact]
    public void Score_VeryLongName_WritesItsMaps()
    {
        var name = new string('ü', 20) + new string('x', 200);
        Fill("long", name + ".png", "test/good/0.png", name + "y.png", "test/good/1.png");
        var (code, _, error) = Tool.Run("score", part.Model, part.In("long"), "--maps", part.In("longmaps"));
        code.Should().Be(0, error);
        Directory.GetFiles(part.In("longmaps")).Should().HaveCount(4);
    }

    [Theory]
    [InlineData("P6\n2 2\n255\n0123456789ab", "PPM")]
    [InlineData("a.png\u0000\u0001\u0002 and more bytes of some other thing\nsecond", "not an image")]
    [InlineData("/absent/a/folder/with/a/long/name/file.png\nname\u0001\nthird.png\n", "line 2")]
    [InlineData("/absent/first/\u00FF.png\n", "UTF-8")]
    public void Score_StandardInputThatIsNeitherImageNorPaths_IsNotWrittenBack(string input, string message)
    {
        var (code, output, _) = Tool.RunWith(Encoding.Latin1.GetBytes(input), "score", part.Model, "-", "--format", "Csv");
        code.Should().Be(3);
        var last = output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1];
        last.Should().StartWith("-,bolt,,").And.Contain(message);
        output.Should().NotContain("third").And.NotContain("second").And.NotContain("\u0001");
    }

    [Fact]
    public void Fit_UnreadablePhotographs_AreAllNamed()
    {
        Fill("broken", "a.png", "train/good/0.png", "b.png", "train/good/1.png", "c.png", "train/good/2.png");
        File.WriteAllBytes(part.In("broken/b.png"), []);
        File.WriteAllBytes(part.In("broken/c.png"), File.ReadAllBytes(part.In("train/good/2.png"))[..900]);
        var (code, _, error) = Tool.Run("fit", part.In("broken"), "--epochs", "0", "--size", "112", "--out", part.In("broken.zip"));
        code.Should().Be(3);
        error.Should().Contain("2 of 3 photographs").And.Contain("b.png' is empty").And.MatchRegex("c\\.png'.*ends early");
        File.Exists(part.In("broken.zip")).Should().BeFalse();
    }

    [Fact]
    public void Fit_DarkAndEqualPhotographsAndOtherKinds_AreTold()
    {
        Directory.CreateDirectory(part.In("dark"));
        for (var i = 0; i < 3; i++)
        {
            var picture = TestImages.Part(64, 64, i / 2);
            TestImages.Write(new PixelBuffer(64, 64, [.. picture.Rgb.Select(level => (byte)(level / 64))]), part.In($"dark/{i}.png"));
        }

        File.WriteAllText(part.In("dark/3.tiff"), "photograph");
        var (code, _, error) = Tool.Run("fit", part.In("dark"), "--epochs", "0", "--size", "112", "--out", part.In("dark.zip"));
        code.Should().Be(0, error);
        error.Should().MatchRegex("use [234] of 256 levels").And.Contain("1 of 3 photographs show the same pixels").And.MatchRegex("1\\.png = .*0\\.png").And.Contain("1 .tiff");
    }

    [Fact]
    public void ReportAndEvaluate_MasksThatCannotBeUsed_AreNamed()
    {
        Set("masks");
        File.WriteAllBytes(part.In("masks/ground_truth/bar/0_mask.png"), []);
        TestImages.Write(TestImages.Noise(80, 60, 1), part.In("masks/ground_truth/bar/1_mask.png"));
        var (code, output, error) = Tool.Run("report", part.Model, "--data", part.In("masks"), "--html", part.In("masks.html"));
        code.Should().Be(3);
        output.Should().Contain("3 images, 3 with pictures");
        foreach (var text in (string[])[error, File.ReadAllText(part.In("masks.html"))])
        {
            text.Should().Contain("0_mask.png").And.Contain("is empty").And.Contain("80 x 60").And.Contain("no pixel metrics");
        }

        var evaluated = Tool.Run("evaluate", "--data", part.In("masks"), "--shots", "1", "--seeds", "1", "--size", "56");
        evaluated.Code.Should().Be(3);
        evaluated.Error.Should().Contain("2 image(s) or mask(s)").And.Contain("0_mask.png").And.Contain("1_mask.png").And.NotContain("draw");
    }

    [Fact]
    public void ReportAndEvaluate_ScoringImagesThatAreFittedOn_AreTold()
    {
        Set("shared");
        File.Copy(part.In("shared/train/good/1.png"), part.In("shared/test/good/9.png"));
        var (code, _, error) = Tool.Run("report", part.Model, "--data", part.In("shared"), "--html", part.In("shared.html"));
        code.Should().Be(0, error);
        foreach (var text in (string[])[error, File.ReadAllText(part.In("shared.html")), Tool.Run("evaluate", "--data", part.In("shared"), "--shots", "1", "--seeds", "1", "--size", "56").Error])
        {
            text.Should().Contain("1 of 4 images to be scored are identical").And.Contain("test/good/9.png = train/good/1.png");
        }

        Tool.Run("report", part.Model, "--data", part.In("shared"), "--html", part.In("shared.html"), "--split", "all").Error.Should().NotContain("identical", "then all are asked for");
    }

    [Fact]
    public void Report_MasksOfHalfTheSizeInCapitals_GiveAboutTheSameFigures()
    {
        Set("whole");
        Set("half", (mask, path) => TestImages.Write(Halved(mask), Path.ChangeExtension(path, ".PNG")));
        double Figure(string name)
        {
            var (code, _, error) = Tool.Run("report", part.Model, "--data", part.In(name), "--html", part.In(name + ".html"));
            code.Should().Be(0, error);
            var figure = System.Text.RegularExpressions.Regex.Match(File.ReadAllText(part.In(name + ".html")), @"<b>([01]\.\d+)</b><span>pixel AUROC").Groups[1].Value;
            return double.Parse(figure, System.Globalization.CultureInfo.InvariantCulture);
        }

        Figure("half").Should().BeApproximately(Figure("whole"), 0.01);
    }

    /// <summary>A data set: three images to fit on, one good and two defective ones to score.</summary>
    private void Set(string name, Action<PixelBuffer, string>? writeMask = null)
    {
        Fill(name + "/train/good", "0.png", "train/good/0.png", "1.png", "train/good/1.png", "2.png", "train/good/2.png");
        Fill(name + "/test/good", "0.png", "test/good/0.png");
        Fill(name + "/test/bar", "0.png", "test/bar/0.png", "1.png", "test/bar/1.png");
        Directory.CreateDirectory(part.In(name + "/ground_truth/bar"));
        for (var i = 0; i < 2; i++)
        {
            var (sound, defective) = (TestImages.Part(80, 80, 30 + i), TestImages.Part(80, 80, 30 + i, defective: true));
            var mask = new PixelBuffer(80, 80, [.. Enumerable.Range(0, 80 * 80 * 3).Select(k => (byte)(Enumerable.Range(k / 3 * 3, 3).Any(c => sound.Rgb[c] != defective.Rgb[c]) ? 255 : 0))]);
            (writeMask ?? TestImages.Write)(mask, part.In($"{name}/ground_truth/bar/{i}_mask.png"));
        }
    }

    private static PixelBuffer Halved(PixelBuffer mask) => new(40, 40, [.. Enumerable.Range(0, 40 * 40 * 3).Select(k => mask.Rgb[((k / 120 * 160) + (k / 3 % 40 * 2)) * 3])]);

    private void Fill(string folder, params string[] names)
    {
        Directory.CreateDirectory(part.In(folder));
        for (var i = 0; i < names.Length; i += 2)
        {
            File.Copy(part.In(names[i + 1]), part.In($"{folder}/{names[i]}"), overwrite: true);
        }
    }
}
