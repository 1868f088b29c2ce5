using System.Text.Json;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Cli.Tests;

/// <summary>export, verify-export, and what score, report and info make of an exported file.</summary>
public sealed class ExportCommandTests(FittedPart part) : IClassFixture<FittedPart>
{
    [Fact]
    public void Export_OneClass_IsVerifiedAndScoresAsTheZip()
    {
        var file = part.In("one/part.onnx");
        var (code, output, error) = Tool.Run("export", part.Model, "--out", file, "--verify", part.In("test"));
        code.Should().Be(0, error);
        output.Should().MatchRegex(@"^4 image\(s\): largest difference of scores \d\.\dE[-+]\d+ "
            + @"\(at most 1\.0E-4\), of maps \d\.\dE[-+]\d+ \(at most 1\.0E-3\); decisions that differ: 0\n"
            + @"Resized by the file itself: .*\(at most 5\.0E-4\).*: 0\nTime of an image, median: model .* ms, file .* ms\n"
            + @"bolt: written to .*part\.onnx \(\d+\.\d MB\)\.\n$");
        error.Should().BeEmpty();

        Compare("Csv", []);
        Compare("Jsonl", ["--model-size"]);
        Compare("Csv", ["--threshold", "0.01", "--details"]);
        Tool.Run("score", file, part.In("test"), "--fail-on-anomaly", "--maps", part.In("maps")).Code.Should().Be(1);
        Directory.GetFiles(part.In("maps"), "*.npy").Should().HaveCount(4);
        Tool.Run("report", file, "--data", part.Folder, "--html", part.In("report.html")).Output.Should().Contain("4 images, 4 with pictures");

        void Compare(string format, string[] rest)
        {
            string[] Lines(string model)
            {
                var (done, text, fault) = Tool.Run(["score", model, part.In("test"), "--format", format, .. rest]);
                done.Should().Be(0, fault);
                return text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
            }

            var (due, got) = (Lines(part.Model), Lines(file));
            got.Should().HaveSameCount(due);
            foreach (var (line, other) in due.Zip(got))
            {
                Unlike(line).Should().Be(Unlike(other), $"{format} {string.Join(' ', rest)}");
            }
        }

        // Numbers may differ in their last digit.
        static string Unlike(string line) => System.Text.RegularExpressions.Regex.Replace(line, @"(\d\.\d\d)\d+(E-\d+)?", "$1");
    }

    [Fact]
    public void Export_MemoryIn8Bits_SaysSoAndIsVerified()
    {
        var file = part.In("bytes.onnx");
        var (code, output, error) = Tool.Run("export", part.Model, "--out", file, "--quantize", "memory", "--precision", "float16", "--verify", part.In("test"));
        code.Should().Be(0, error);
        output.Should().Contain("(at most 2.0E-3), of maps").And.Contain("decisions that differ: 0");
        Tool.Run("verify-export", part.Model, file, part.In("test"), "--tolerance", "1e-6").Code.Should().Be(1);
        Tool.Run("info", file).Output.Should().Contain("Weights: Float16\nIn 8 bit: Memory\n");
        using var json = JsonDocument.Parse(Tool.Run("info", file, "--json").Output);
        json.RootElement.GetProperty("quantization").GetString().Should().Be("Memory");
    }

    [Fact]
    public void Export_OverTheModel_IsRefused()
    {
        var before = File.ReadAllBytes(part.Model);
        Tool.Run("export", part.Model, "--out", part.Model).Should().Match<(int Code, string, string Error)>(
            told => told.Code == 2 && told.Error.Contains("--out: expected a file name that ends in '.onnx'"));
        File.ReadAllBytes(part.Model).Should().Equal(before);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Export_OfAFileThatScoresOtherwise_LeavesWhatWasThere(bool onPhotographs)
    {
        var folder = Directory.CreateDirectory(part.In($"otherwise{onPhotographs}")).FullName;
        var file = Path.Combine(folder, "part.onnx");
        string[] export = ["export", part.Model, "--out", file, "--tolerance", "1e-12", .. onPhotographs ? new[] { "--verify", part.In("test") } : []];
        var (code, output, error) = Tool.Run(export);
        code.Should().Be(1);
        output.Should().Contain("largest difference of scores").And.NotContain("written");
        error.Should().Contain($"'{file}' was not written");
        Directory.GetFileSystemEntries(folder).Should().BeEmpty();
        File.WriteAllText(file, "older");
        Tool.Run(export).Code.Should().Be(1);
        File.ReadAllText(file).Should().Be("older");
        Directory.GetFileSystemEntries(folder).Should().Equal(file);
    }

    [Fact]
    public void Export_WithoutPhotographs_TriesGeneratedPictures_AndSweepsWhatAKilledOneLeft()
    {
        using var ended = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("dotnet", "--version") { RedirectStandardOutput = true })!;
        ended.WaitForExit();
        var folder = Directory.CreateDirectory(part.In("generated")).FullName;
        var (file, killed) = (Path.Combine(folder, "part.onnx"), Path.Combine(folder, $"part.onnx.{ended.Id}-0a1b2c3d.tmp"));
        Directory.CreateDirectory(killed);
        File.WriteAllText(Path.Combine(killed, "part.onnx"), "half");
        var living = Directory.CreateDirectory(Path.Combine(folder, $"part.onnx.{Environment.ProcessId}-0a1b2c3d.tmp")).FullName;
        var (code, output, error) = Tool.Run("export", part.Model, "--out", file);
        code.Should().Be(0, error);
        output.Should().MatchRegex(@"^bolt: on 3 generated pictures, largest difference of scores \S+ \(at most 1\.0E-4\), .*decisions that differ: 0; "
            + @"resized by the file itself: .*decisions that differ: 0\nbolt: written to .*part\.onnx \(\d+\.\d MB\)\.\n$");
        Directory.GetFileSystemEntries(folder).Should().BeEquivalentTo(file, living);
    }

    [Fact]
    public void Export_SeveralClasses_WritesAFileOfEach()
    {
        var (zip, file) = (part.In("two.zip"), part.In("two/part.onnx"));
        Directory.CreateDirectory(part.In("other"));
        foreach (var i in Enumerable.Range(0, 3))
        {
            TestImages.Write(TestImages.Part(80, 80, 50 + i), part.In($"other/{i}.png"));
        }

        Tool.Run("adapt", part.Model, part.In("other"), "--class", "nut/../a", "--out", zip).Code.Should().Be(0);
        var (code, output, error) = Tool.Run("export", zip, "--out", file, "--precision", "float16");
        code.Should().Be(0, error);
        Directory.GetFiles(part.In("two")).Select(Path.GetFileName).Should().BeEquivalentTo("part.bolt.onnx", "part.nut____a.onnx");
        output.Should().Contain("bolt: written").And.Contain("nut/../a: written");
        Tool.Run("export", zip, "--out", part.In("two/nut.onnx"), "--class", "nut/../a", "--fixed-size").Code.Should().Be(0);
        var info = Tool.Run("info", part.In("two/nut.onnx")).Output;
        info.Should().MatchRegex(@"(?s)Exported model: .*nut\.onnx \(\d+\.\d MB\), format 1.*Class: nut/\.\./a\n.*112 x 112 pixels, brought there before.*Threshold: Threshold 0\.");
        using var json = JsonDocument.Parse(Tool.Run("info", part.In("two/part.bolt.onnx"), "--json").Output);
        json.RootElement.GetProperty("class").GetString().Should().Be("bolt");
        json.RootElement.GetProperty("precision").GetString().Should().Be("Float16");
        json.RootElement.GetProperty("threshold").GetDouble().Should().BeInRange(0, 2);
        Tool.Run("export", zip, "--out", file, "--class", "screw").Should().Match<(int Code, string, string Error)>(
            done => done.Code == 3 && done.Error.Contains("--class: the model does not know 'screw'; it knows 'bolt', 'nut/../a'"));
    }

    [Fact]
    public void VerifyExport_OtherModelOrTolerance_ExitsWithOne()
    {
        var (file, moved) = (part.In("verified.onnx"), part.In("moved.zip"));
        Tool.Run("export", part.Model, "--out", file).Code.Should().Be(0);
        var (code, output, error) = Tool.Run("verify-export", part.Model, file, part.In("test/good"));
        code.Should().Be(0, error);
        output.Should().StartWith("2 image(s)").And.Contain("decisions that differ: 0");
        error.Should().BeEmpty("it was exported from this very model");

        (code, _, error) = Tool.Run("verify-export", part.Model, file, part.In("test"), "--tolerance", "1e-12");
        code.Should().Be(1);
        error.Should().Contain("does not score as the model does");
        Tool.Run("threshold", part.Model, "--set", "0", "--out", moved).Code.Should().Be(0);
        (code, output, error) = Tool.Run("verify-export", moved, file, part.In("test"));
        code.Should().Be(1);
        output.Should().Contain("decisions that differ: 2", "the good ones are rejected by the moved threshold");
        error.Should().Contain("another state of the model");
    }

    [Fact]
    public void BadArguments_ExitWithTheirCodes()
    {
        var text = part.In("text.onnx");
        File.WriteAllText(text, "no model");
        foreach (var (arguments, code, words) in new (string[], int, string)[]
        {
            (["export", part.Model], 2, "--out"),
            (["export", part.Model, "--out", part.In("x.onnx"), "--precision", "Int8"], 2, "Float32, Float16"),
            (["export", part.Model, "--out", part.In("x.onnx"), "--quantize", "Int4"], 2, "None, Memory"),
            (["export", part.In("none.zip"), "--out", part.In("x.onnx")], 3, "There is no model"),
            (["export", part.Model, "--out", part.In("x.onnx"), "--verify", part.In("nowhere")], 3, "There is no image or folder"),
            (["verify-export", part.Model, part.In("none.onnx"), part.In("test")], 3, "There is no exported model"),
            (["score", text, part.In("test")], 3, "is no ONNX file"),
            (["info", text], 3, "is no ONNX file"),
            (["score", part.In("none.onnx"), part.In("test")], 3, "There is no exported model"),
        })
        {
            var done = Tool.Run(arguments);
            done.Code.Should().Be(code, $"{string.Join(' ', arguments)}: {done.Error}");
            done.Error.Should().Contain(words);
        }
    }
}
