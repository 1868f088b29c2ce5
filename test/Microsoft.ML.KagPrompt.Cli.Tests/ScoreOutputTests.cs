using System.Diagnostics;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Cli.Tests;

/// <summary>What score writes, and when.</summary>
public sealed class ScoreOutputTests(FittedPart part) : IClassFixture<FittedPart>
{
    [Fact]
    public async Task Score_PathsOnStandardInput_AnswersEachBeforeTheNext()
    {
        using var process = Tool.Open(new Dictionary<string, string>(), "score", part.Model, "-", "--format", "Jsonl");
        _ = process.StandardError.ReadToEndAsync();
        // The last is shorter than any image's head.
        File.Copy(part.In("test/good/0.png"), part.In("i"), overwrite: true);
        foreach (var path in (string[])[part.In("test/bar/0.png"), part.In("absent.png"), part.In("i")])
        {
            await process.StandardInput.WriteLineAsync(path);
            await process.StandardInput.FlushAsync();
            // Input is not over, and an answer is due.
            var answer = await process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromMinutes(1));
            using var json = JsonDocument.Parse(answer!);
            json.RootElement.GetProperty("image").GetString().Should().Be(path);
            json.RootElement.TryGetProperty("error", out _).Should().Be(!File.Exists(path));
        }

        process.StandardInput.Close();
        await process.WaitForExitAsync();
        process.ExitCode.Should().Be(3, "one could not be read");
    }

    [SkippableTheory]
    [InlineData("-INT")]
    [InlineData("-TERM")]
    public void Score_SignalWhileNothingComes_Ends(string signal)
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "sends signals");
        using var process = Tool.Open(new Dictionary<string, string>(), "score", part.Model, "-");
        try
        {
            // It waits for input from here on.
            process.StandardOutput.ReadLine().Should().StartWith("image\t");
            using var kill = Process.Start("kill", [signal, $"{process.Id}"])!;
            kill.WaitForExit();
            process.WaitForExit(TimeSpan.FromMinutes(1)).Should().BeTrue("nobody closes its input");
            process.ExitCode.Should().Be(130);
            process.StandardError.ReadToEnd().Should().Contain("Cancelled");
        }
        finally
        {
            process.Kill();
        }
    }

    [Theory]
    [InlineData("=2+3.png")]
    [InlineData("+x.png")]
    [InlineData("-x.png")]
    [InlineData("@x.png")]
    public void Score_CsvCellThatASpreadsheetWouldRun_IsText(string name)
    {
        var folder = Directory.CreateTempSubdirectory("kagprompt-csv-").FullName;
        try
        {
            File.Copy(part.In("test/good/0.png"), Path.Combine(folder, name));
            var rows = RunIn(folder, "score", part.Model, "--format", "Csv", "--threshold", "-0.5", "--", name).Split('\n');
            rows[1].Should().StartWith($"'{name},bolt,yes,").And.Contain(",-0.5000,", "numbers stay numbers");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData("Csv")]
    [InlineData("Jsonl")]
    public void Score_ModelWithoutAThreshold_GivesNoVerdict(string format)
    {
        // What a fit on a single image leaves where no defect can be imitated on it.
        var model = part.In("unknown.zip");
        Rewrite(part.Model, model, json => Regex.Replace(json, @"(\\u0022|\\"")threshold\1:[0-9.eE+-]+", "$1threshold$1:$1NaN$1"));
        var (code, output, error) = Tool.Run("score", model, part.In("test/bar/0.png"), "--format", format, "--fail-on-anomaly");
        code.Should().Be(3, error);
        output.Should().Contain("no threshold").And.NotContain(",no,").And.NotContain("NaN").And.NotContain("\"anomalous\"").And.NotContain("\"score\"");
        Tool.Run("score", model, part.In("test/bar/0.png"), "--threshold", "0.01", "--fail-on-anomaly").Code.Should().Be(1, "one can be given");
    }

    [Fact]
    public void Score_BankThatIsNotANumber_GivesNoVerdict()
    {
        var model = part.In("nan.zip");
        Rewrite(part.Model, model, json => json, tensors: true);
        var (code, output, error) = Tool.Run("score", model, part.In("test/good"), part.In("test/bar"), "--format", "Jsonl", "--fail-on-anomaly");
        code.Should().Be(3, error);
        output.Should().NotContain("NaN").And.NotContain("\"anomalous\":");
    }

    [Fact]
    public void Fit_KilledBefore_SweepsWhatItLeft()
    {
        // The number of a process that has ended, and of one that has not: this.
        using var ended = Tool.Start("--version");
        ended.WaitForExit();
        var (dead, alive, other) = (part.In($"swept.csv.{ended.Id}.tmp"), part.In($"swept.csv.{Environment.ProcessId}.tmp"), part.In($"mine.csv.{ended.Id}.tmp"));
        foreach (var file in (string[])[dead, alive, other])
        {
            File.WriteAllText(file, "half");
        }

        Tool.Run("score", part.Model, part.In("test/good/0.png"), "--out", part.In("swept.csv")).Code.Should().Be(0);
        ((bool[])[File.Exists(dead), File.Exists(alive), File.Exists(other)]).Should().Equal(false, true, true);
        File.Delete(alive);
        File.Delete(other);
    }

    /// <summary>The model with its manifest rewritten, and its bank's values not numbers if asked for.</summary>
    private static void Rewrite(string from, string to, Func<string, string> manifest, bool tensors = false)
    {
        using var source = ZipFile.OpenRead(from);
        using var copy = new ZipArchive(File.Create(to), ZipArchiveMode.Create);
        foreach (var entry in source.Entries)
        {
            using var stream = entry.Open();
            var memory = new MemoryStream();
            stream.CopyTo(memory);
            var bytes = memory.ToArray();
            if (entry.Name == "KagPrompt.safetensors")
            {
                var length = (int)BitConverter.ToUInt64(bytes);
                var header = Encoding.UTF8.GetString(bytes, 8, length);
                if (tensors)
                {
                    using var json = JsonDocument.Parse(header);
                    foreach (var bank in json.RootElement.EnumerateObject().Where(tensor => tensor.Name.Contains(".bank.", StringComparison.Ordinal)))
                    {
                        var ends = bank.Value.GetProperty("data_offsets").EnumerateArray().Select(end => end.GetInt32()).ToArray();
                        bank.Value.GetProperty("dtype").GetString().Should().Be("F32");
                        for (var at = 8 + length + ends[0]; at < 8 + length + ends[1]; at += 4)
                        {
                            BitConverter.TryWriteBytes(bytes.AsSpan(at), float.NaN);
                        }
                    }
                }

                var text = manifest(header);
                tensors.Should().Be(text == header);
                var rewritten = Encoding.UTF8.GetBytes(text);
                bytes = [.. BitConverter.GetBytes((ulong)rewritten.Length), .. rewritten, .. bytes[(8 + length)..]];
            }

            using var target = copy.CreateEntry(entry.FullName).Open();
            target.Write(bytes);
        }
    }

    private static string RunIn(string folder, params string[] arguments)
    {
        using var process = Tool.StartIn(folder, arguments);
        _ = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return output;
    }
}
