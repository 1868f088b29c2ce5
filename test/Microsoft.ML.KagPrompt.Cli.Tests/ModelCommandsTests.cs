using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Cli.Tests;

/// <summary>fit, adapt and score, as a user runs them.</summary>
public sealed class ModelCommandsTests(FittedPart part) : IClassFixture<FittedPart>
{
    [Fact]
    public void Fit_GoodPhotographs_WritesAZipAndExplainsItsThreshold()
    {
        part.FitOutput.Should().MatchRegex(@"^bolt: Threshold 0\.\d+: .*of normal parts.*\nWritten to .*model\.zip \(\d+\.\d MB\)\.\n$");
        using var again = new MLContext().Model.Load(part.Model, out var schema) as IDisposable;
        schema.Select(column => column.Name).Should().Contain("ClassName");
    }

    [Fact]
    public void Score_Folder_TellsGoodFromDefectiveInEveryFormat()
    {
        var (code, table, error) = Tool.Run("score", part.Model, part.In("test"), "--out", part.In("out.csv"), "--format", "Csv");
        code.Should().Be(0, error);
        table.Should().BeEmpty();
        var rows = File.ReadAllLines(part.In("out.csv")).Select(line => line.Split(',')).ToArray();
        rows[0].Should().Equal("image", "class", "anomalous", "score", "threshold", "probability", "regions", "error");
        rows[1..].Select(row => row[2]).Should().Equal("yes", "yes", "no", "no");
        rows[1..3].Select(row => Number(row[5])).Should().OnlyContain(probability => probability > 0.5);
        rows[3..].Select(row => Number(row[5])).Should().OnlyContain(probability => probability < 0.5);

        var lines = Tool.Run("score", part.Model, part.In("test"), "--format", "Jsonl").Output
            .Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement).ToArray();
        lines.Select(line => line.GetProperty("score").GetSingle().ToString("0.0000", CultureInfo.InvariantCulture))
            .Should().Equal(rows[1..].Select(row => row[3]));
        lines[0].GetProperty("width").GetInt32().Should().Be(80);
        var region = lines[0].GetProperty("regions").EnumerateArray().First();
        // The bar lies in the upper third, in the middle.
        (region.GetProperty("peakY").GetInt32() + region.GetProperty("peakX").GetInt32()).Should().BeInRange(25, 85);
        lines[2].GetProperty("regions").GetArrayLength().Should().Be(0);
    }

    [Fact]
    public void Score_BlackFrame_IsToldAsForeignInEveryFormat()
    {
        Directory.CreateDirectory(part.In("blank"));
        TestImages.Write(TestPictures.Plain(80, 80, 0), part.In("blank/black.png"));
        File.Copy(part.In("test/good/0.png"), part.In("blank/good.png"), overwrite: true);
        var (code, output, error) = Tool.Run("score", part.Model, part.In("blank"), "--format", "Jsonl", "--threshold", "0.99",
            "--fail-on-anomaly");
        code.Should().Be(1, error);
        error.Should().Contain("1 anomalous").And.Contain("1 of the anomalous: unlike every support image");
        var rows = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement).ToArray();
        rows.Select(row => row.GetProperty("foreign").GetBoolean()).Should().Equal(true, false);
        rows.Select(row => row.GetProperty("anomalous").GetBoolean()).Should().Equal(true, false);
        rows[0].GetProperty("unlikeness").GetSingle().Should().BeGreaterThan(rows[1].GetProperty("unlikeness").GetSingle());
        rows[0].GetProperty("reason").GetString().Should().Be(Inspection.ForeignWord);
        rows[1].TryGetProperty("reason", out _).Should().BeFalse();
        rows.Select(row => row.TryGetProperty("probability", out _)).Should().Equal([false, true], "a foreign image's score says nothing");
        var table = Tool.Run("score", part.Model, part.In("blank"), "--details").Output
            .Split('\n').Select(line => line.Split('\t')).ToArray();
        table[0][8..].Should().Equal("foreign", "unlikeness", "reason");
        (table[1][2], table[1][8], table[1][10]).Should().Be(("yes", "yes", Inspection.ForeignWord));
        (table[2][2], table[2][8], table[2][10]).Should().Be(("no", "no", ""));
    }

    [Fact]
    public void FitAndAdapt_SamePictureTwice_WarnOnTheErrorStreamAndInfoShowsTheLimit()
    {
        Directory.CreateDirectory(part.In("twice"));
        foreach (var (name, from) in new[] { ("a", "0"), ("b", "0"), ("c", "1") })
        {
            File.Copy(part.In($"train/good/{from}.png"), part.In($"twice/{name}.png"), overwrite: true);
        }

        Tool.Run("adapt", part.Model, part.In("twice"), "--class", "nut", "--out", part.In("twice.zip")).Error
            .Should().Contain("nut: The same picture").And.NotContain("bolt:");
        Tool.Run("fit", part.In("twice"), "--class", "nut", "--epochs", "0", "--size", "112", "--out", part.In("twice.zip")).Error
            .Should().Contain("nut: The same picture");
        Tool.Run("info", part.In("twice.zip")).Output.ReplaceLineEndings(" ").Should().Contain("unlikeness above");
        var described = JsonDocument.Parse(Tool.Run("info", part.In("twice.zip"), "--json").Output).RootElement.GetProperty("classes")[0];
        described.GetProperty("unlikenessLimit").GetSingle().Should().BeGreaterThan(0);
        described.GetProperty("warnings").GetArrayLength().Should().Be(1);
    }

    [Fact]
    public void Fit_Resume_KeepsTheTrainingsStateAndGoesOnFromIt()
    {
        string[] fit = ["fit", part.Folder, "--out", part.In("resumed.zip"), "--class", "bolt", "--backbone", "compact", "--size", "112",
            "--epochs", "1", "--resume", part.In("state")];
        Tool.Run(fit).Code.Should().Be(0);
        var state = Directory.GetFiles(part.In("state")).Should().ContainSingle().Which;
        // Nothing is left to train: what it goes on from is all that decides.
        var whole = File.ReadAllBytes(state);
        Tool.Run(fit).Code.Should().Be(0);
        File.ReadAllBytes(state).Should().Equal(whole);
        File.WriteAllBytes(state, whole[..(whole.Length / 2)]);
        var (code, _, error) = Tool.Run(fit);
        code.Should().Be(3, error);
        error.Should().Contain(Path.GetFileName(state));
    }

    [Fact]
    public void Score_Maps_AreValuesAndAPictureOnTheClassScale()
    {
        Tool.Run("score", part.Model, part.In("test/bar"), part.In("test/good"), "--maps", part.In("maps")).Code.Should().Be(0);
        Directory.GetFiles(part.In("maps")).Select(Path.GetFileName)
            .Should().BeEquivalentTo("0.npy", "0.png", "1.npy", "1.png", "0~2.npy", "0~2.png", "1~2.npy", "1~2.png");
        var npy = File.ReadAllBytes(part.In("maps/0.npy"));
        var header = BitConverter.ToUInt16(npy, 8);
        npy[..8].Should().Equal(0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', 1, 0);
        ((10 + header) % 64).Should().Be(0);
        Encoding.ASCII.GetString(npy, 10, header)
            .Should().StartWith("{'descr': '<f4', 'fortran_order': False, 'shape': (80, 80), }").And.EndWith("\n");
        var values = Enumerable.Range(0, 80 * 80).Select(i => BitConverter.ToSingle(npy, 10 + header + (4 * i))).ToArray();
        values.Should().OnlyContain(value => value >= 0 && value <= 1);

        // Decoded by code that is not ours: the class's own scale, the same for all its images,
        // with the brightest where the value is largest.
        var (defective, good) = (Picture("0"), Picture("0~2"));
        Brightest(defective).Should().BeGreaterThan(180, "a defect is seen");
        Brightest(good).Should().BeLessThan(Brightest(defective));
        var peak = Array.IndexOf(values, values.Max());
        Brightness(defective, peak).Should().BeGreaterThan(Brightest(defective) * 9 / 10);

        static int Brightness(byte[] pixels, int at) => pixels[4 * at] + pixels[(4 * at) + 1] + pixels[(4 * at) + 2];
        static int Brightest(byte[] pixels) => Enumerable.Range(0, pixels.Length / 4)
            .Where(i => pixels[4 * i] != 255 || pixels[(4 * i) + 2] != 255).Max(i => Brightness(pixels, i));
        byte[] Picture(string name)
        {
            using var picture = MLImage.CreateFromFile(part.In($"maps/{name}.png"));
            (picture.Width, picture.Height).Should().Be((80, 80));
            return picture.Pixels.ToArray();
        }
    }

    [Fact]
    public void Score_StandardInput_TakesAnImageOrPaths()
    {
        var file = part.In("test/bar/0.png");
        string Score(byte[] input)
        {
            var (code, output, error) = Tool.RunWith(input, "score", part.Model, "-", "--format", "Jsonl");
            code.Should().Be(0, error);
            return JsonDocument.Parse(output).RootElement.GetProperty("score").GetRawText();
        }

        Score(File.ReadAllBytes(file)).Should().Be(Score(Encoding.UTF8.GetBytes(file + "\n")));
    }

    [Fact]
    public void Score_FailOnAnomaly_IsToldByTheExitCode()
    {
        Tool.Run("score", part.Model, part.In("test/bar"), "--fail-on-anomaly").Code.Should().Be(1);
        Tool.Run("score", part.Model, part.In("test/good"), "--fail-on-anomaly").Code.Should().Be(0);
        Tool.Run("score", part.Model, part.In("test/bar"), "--fail-on-anomaly", "--threshold", "0.99").Code.Should().Be(0);
    }

    [Fact]
    public void Score_OneBrokenImage_ScoresTheOthers()
    {
        Directory.CreateDirectory(part.In("mixed"));
        File.Copy(part.In("test/good/0.png"), part.In("mixed/a.png"), overwrite: true);
        File.WriteAllBytes(part.In("mixed/b.png"), File.ReadAllBytes(part.In("test/good/0.png"))[..900]);
        File.Copy(part.In("test/bar/0.png"), part.In("mixed/c.png"), overwrite: true);
        var (code, output, error) = Tool.Run("score", part.Model, part.In("mixed"));
        code.Should().Be(3);
        var rows = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t')).ToArray();
        rows[1..].Select(row => row[2]).Should().Equal("no", "", "yes");
        rows[2][7].Should().Contain("ends early");
        error.Should().Contain("3 image(s), 1 anomalous, 1 without a verdict");
    }

    [Fact]
    public void Score_NoThreshold_IsToldAsNoDecision()
    {
        var zip = ModelZip.With(File.ReadAllBytes(ModelZip.Version010), "KagPrompt.safetensors",
            bytes => ModelZip.WithManifest(bytes, text => Regex.Replace(text, "\"threshold\":[0-9.Ee-]+", "\"threshold\":\"NaN\"")));
        File.WriteAllBytes(part.In("undecided.zip"), zip);
        var (code, output, error) = Tool.Run("score", part.In("undecided.zip"), ModelZip.Fixture("model-defective.png"), "--class", "nut",
            "--format", "Jsonl");
        code.Should().Be(3, "no decision is no pass");
        var row = JsonDocument.Parse(output).RootElement;
        row.GetProperty("score").GetDouble().Should().BeApproximately(0.1513, 1e-3);
        row.TryGetProperty("anomalous", out _).Should().BeFalse();
        row.GetProperty("error").GetString().Should().Contain("no threshold").And.Contain("'nut'");
        error.Should().Contain("1 without a verdict");
        Tool.Run(
            "score", part.In("undecided.zip"), ModelZip.Fixture("model-defective.png"), "--class", "nut", "--threshold", "0.1",
            "--fail-on-anomaly").Code.Should().Be(1);
    }

    [Fact]
    public void Adapt_NewPart_KeepsTheOldModelAndKnowsBoth()
    {
        var before = File.ReadAllBytes(part.Model);
        var (code, output, error) = Tool.Run("adapt", part.Model, part.In("train/good"), "--class", "nut", "--support", "3",
            "--out", part.In("both.zip"));
        code.Should().Be(0, error);
        output.Should().Contain("bolt: Threshold").And.Contain("nut: Threshold").And.Contain("3 image(s) are in the memory bank");
        File.ReadAllBytes(part.Model).Should().Equal(before);
        Tool.Run("score", part.In("both.zip"), part.In("test/bar"), "--class", "nut", "--fail-on-anomaly").Code.Should().Be(1);
        var unnamed = Tool.Run("score", part.In("both.zip"), part.In("test/bar"));
        unnamed.Code.Should().Be(3);
        unnamed.Error.Should().Contain("--class").And.Contain("bolt, nut");
    }

    [Theory]
    [InlineData(2, "'--out' is required", "fit", "DATA")]
    [InlineData(2, "MODEL", "score")]
    [InlineData(3, "There is no folder", "fit", "absent", "--out", "new.zip")]
    [InlineData(3, "Threshold.FalseRejectRate", "fit", "DATA", "--out", "new.zip", "--false-rejects", "0.9")]
    [InlineData(2, "--false-rejects: expected a number with a decimal point, such as 0.25, and no comma, got '0,05'", "fit", "DATA",
        "--out", "new.zip", "--false-rejects", "0,05")]
    [InlineData(2, "--epochs: expected a whole number of 0 or more, digits alone, got '1,000'", "fit", "DATA", "--out", "new.zip", "--epochs", "1,000")]
    [InlineData(2, "--resume: nothing is trained", "fit", "DATA", "--out", "new.zip", "--resume", "DATA/state")]
    [InlineData(2, "--seed: expected", "fit", "DATA", "--out", "new.zip", "--seed", "1.5")]
    [InlineData(2, "--support: expected a whole number of 1 or more", "adapt", "MODEL", "DATA", "--out", "new.zip", "--support", "0")]
    [InlineData(2, "--threshold: expected", "score", "MODEL", "DATA", "--threshold", "0,25")]
    [InlineData(2, "--threshold: expected", "score", "MODEL", "DATA", "--threshold", "NaN")]
    [InlineData(2, "--format: expected one of Table, Jsonl, Csv, got '1'", "score", "MODEL", "DATA", "--format", "1")]
    [InlineData(2, "Unrecognized option '--treshold'", "score", "MODEL", "DATA", "--treshold", "0.25")]
    [InlineData(2, "auto, cpu, cuda or cuda:N", "score", "MODEL", "DATA", "--device", "gpu")]
    [InlineData(2, "auto, cpu, cuda or cuda:N", "fit", "DATA", "--out", "new.zip", "--device", "cuda:-1")]
    [InlineData(3, "it knows 'bolt'", "score", "MODEL", "DATA", "--class", "nonsense")]
    [InlineData(3, "is a folder", "fit", "DATA", "--out", "DATA")]
    // The place is tried before the data are looked for.
    [InlineData(3, "Cannot write", "fit", "absent", "--out", "MODEL/below.zip")]
    [InlineData(3, "Cannot write", "adapt", "MODEL", "DATA/train/good", "--out", "MODEL/below.zip")]
    [InlineData(3, "Cannot write into", "score", "MODEL", "DATA", "--maps", "MODEL")]
    [InlineData(3, "There is no model", "score", "absent.zip", "DATA")]
    [InlineData(3, "no model zip", "score", "DATA/train/good/0.png", "DATA")]
    [InlineData(3, "There is no image or folder", "score", "MODEL", "absent.png")]
    [InlineData(3, "holds no images", "score", "MODEL", "DATA/empty")]
    public void Commands_WrongArguments_SaySoAndWriteNothing(int code, string message, params string[] arguments)
    {
        Directory.CreateDirectory(part.In("empty"));
        var (actual, output, error) = Tool.Run([.. arguments.Select(argument =>
            argument.StartsWith("MODEL", StringComparison.Ordinal) ? part.Model + argument[5..]
            : argument == "new.zip" ? part.In(argument)
            : argument.StartsWith("DATA", StringComparison.Ordinal) ? part.In("." + argument[4..])
            : argument)]);
        actual.Should().Be(code, error);
        error.Should().Contain(message).And.NotContain("   at ");
        File.Exists(part.In("new.zip")).Should().BeFalse();
        Directory.GetFiles(part.Folder, "*.tmp").Should().BeEmpty();
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
