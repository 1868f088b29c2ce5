using System.Text.Json;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Cli.Tests;

/// <summary>kagprompt evaluate --ablate …</summary>
public sealed class AblationTests : IDisposable
{
    private readonly ProductFolder products = new();

    [Fact]
    public void Evaluate_AblatedK_AddsTablePlotsAndSeriesAndLeavesTheRestAsItIs()
    {
        string[] arguments = ["evaluate", "--epochs", "0", "--data", products.Root, "--shots", "1,2", "--seeds", "2", "--size", "56", "--backbone", "compact"];
        var plain = Tool.Run([.. arguments, "--json", In("plain.json")]);
        var (code, output, error) = Tool.Run([.. arguments, "--ablate", "k=1,10..40:10,502", "--json", In("out.json"), "--html", In("out.html")]);
        code.Should().Be(0, error);
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        output.Should().StartWith(plain.Output);
        lines[7].Should().StartWith("ablation\tvalue\tdata set\tshots\timage AUROC");
        lines[8..].Should().HaveCount(12, "six values, each with two numbers of shots");
        lines[8].Should().MatchRegex(@"^k\t1\t[^\t]+\t1\t[\d.]+ ± [\d.]+\t");

        using var document = JsonDocument.Parse(File.ReadAllText(In("out.json")));
        var (root, before) = (document.RootElement, JsonDocument.Parse(File.ReadAllText(In("plain.json"))).RootElement);
        before.TryGetProperty("ablations", out _).Should().BeFalse();
        Means(root.GetProperty("mean")).Should().Equal(Means(before.GetProperty("mean")));
        root.GetProperty("results").GetArrayLength().Should().Be(8);
        var series = root.GetProperty("ablations").EnumerateArray().Single();
        series.GetProperty("name").GetString().Should().Be("k");
        var points = series.GetProperty("points").EnumerateArray().ToArray();
        points.Select(point => (point.GetProperty("shots").GetInt32(), point.GetProperty("value").GetDouble())).Should().Equal(from shots in (int[])[1, 2] from k in (double[])[1, 10, 20, 30, 40, 502] select (shots, k));

        // The run's own k is the run itself.
        var own = points.Where(point => point.GetProperty("value").GetDouble() == new ScoreFusion().TopK).Average(point => point.GetProperty("mean").GetProperty("image_ap").GetDouble());
        own.Should().BeApproximately(root.GetProperty("mean").GetProperty("image_ap").GetDouble(), 1e-12);
        points.Select(point => point.GetProperty("mean").GetProperty("pixel_auroc").GetDouble()).Distinct().Should().HaveCount(2, "k does not touch the maps");

        var page = File.ReadAllText(In("out.html"));
        page.Should().Contain("Ablation: largest map values averaged, k").And.Contain("<polyline").And.Contain("image AUROC, percent").And.NotContain("http://").And.NotContain("https://").And.NotContain("NaN");
    }

    [Fact]
    public void Evaluate_AblatedContrast_HasCellsOfItsOwnAndTheSameMaps()
    {
        Directory.Delete(In("nut"), recursive: true);
        string[] arguments = ["evaluate", "--data", In("bolt"), "--shots", "1", "--seeds", "1", "--size", "56", "--backbone", "compact", "--cells", In("cells"), "--ablate", "contrast=0,0.4,1"];
        var (code, output, error) = Tool.Run(arguments);
        code.Should().Be(0, error);
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t')).ToArray();
        var points = lines.Where(cells => cells[0] == "contrast").Select(cells => cells[4..]).ToArray();
        points.Should().HaveCount(3);
        points[1].Should().Equal(lines[1][3..9], "0.4 is the run's own");
        points.Select(cells => string.Join(' ', cells[3..])).Distinct().Should().HaveCount(1, "the maps stay as they are");
        // Scores are the same where all defects rank above all good parts; what they were made with is kept with them.
        foreach (var share in (string[])["0", "1"])
        {
            File.ReadAllText(Directory.GetFiles(In("cells"), $"*contrast{share}.json").Single()).Should().MatchRegex($@"LocalContrast[^,}}]*{share}[,}}]");
        }
    }

    [Fact]
    public void Evaluate_AblatedModules_TrainOnceForEachNumberOfIterationsAndGoOn()
    {
        Directory.Delete(In("nut"), recursive: true);
        string[] arguments = ["evaluate", "--epochs", "0", "--data", In("bolt"), "--shots", "2", "--seeds", "1", "--size", "56", "--backbone", "compact"];
        string[] ablated = [.. arguments[..1], .. arguments[3..], "--cells", In("cells"), "--epochs", "1", "--from-scratch", "--ablate", "T=1,5", "gamma=0,0.1,1", "modules"];
        var (code, output, error) = Tool.Run(ablated);
        code.Should().Be(0, error);
        error.Split('\n').Where(line => line.StartsWith("training", StringComparison.Ordinal)).Select(line => line[line.IndexOf("draw", StringComparison.Ordinal)..]).Should().Equal("draw 0", "draw 0, T = 1", "draw 0, T = 0");
        var rows = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(3).Select(line => line.Split('\t')).ToDictionary(cells => $"{cells[0]} {cells[1]}", cells => string.Join(' ', cells[4..]));
        rows.Keys.Should().Equal("T 1", "T 5", "gamma 0", "gamma 0.1", "gamma 1", "modules memory bank", "modules prompt without graph", "modules prompt", "modules memory bank + prompt without graph", "modules memory bank + prompt");
        var own = string.Join(' ', output.Split('\n')[1].Split('\t')[3..9]);
        ((string[])[rows["T 5"], rows["gamma 0.1"], rows["modules memory bank + prompt"]]).Should().AllBe(own);
        rows["gamma 0"].Should().Be(rows["modules memory bank"], "the prompt weighs nothing");
        rows["modules memory bank"].Should().Be(string.Join(' ', Tool.Run([.. arguments, "--from-scratch"]).Output.Split('\n')[1].Split('\t')[3..9]), "a run without a prompt is that");
        rows["modules prompt"].Should().NotBe(rows["modules memory bank"]).And.NotBe(rows["modules prompt without graph"]);

        // Some cells are gone, as where a run was killed between them: one that needs its training again, and one that only needs scoring.
        File.Delete(Directory.GetFiles(In("cells"), "*T1.json").Single());
        File.WriteAllText(Directory.GetFiles(In("cells"), "*gamma1.json").Single(), "{");
        var resumed = Tool.Run(ablated);
        resumed.Output.Should().Be(output);
        resumed.Error.Should().Contain("ablations T1 (").And.Contain("ablations gamma1 (").And.NotContain("pixel AUROC", "the run's own cell is there");
        Tool.Run(ablated).Should().Be((0, output, ""));
    }

    [Fact]
    public void Evaluate_KilledAmongAblations_GoesOnToTheSameTables()
    {
        string[] arguments = ["evaluate", "--epochs", "0", "--data", In("bolt"), "--shots", "1,2", "--seeds", "2", "--size", "56", "--backbone", "compact", "--ablate", "k=1,100"];
        var whole = Tool.Run([.. arguments, "--cells", In("whole")]).Output;
        string[] resumed = [.. arguments, "--cells", In("killed")];
        using (var process = Tool.Start(resumed))
        {
            while (process.StandardError.ReadLine() is { } line && !line.Contains("ablations", StringComparison.Ordinal))
            {
            }

            process.Kill();
            process.WaitForExit();
        }

        Directory.GetFiles(In("killed"), "*.json").Length.Should().BeInRange(3, 11);
        Tool.Run(resumed).Output.Should().Be(whole);
        Directory.GetFiles(In("killed"), "*.json").Should().HaveCount(12, "four cells, each with the run's own k and two others");
    }

    [Theory]
    [InlineData(2, "--ablate T=1..6 needs --epochs", "T=1..6", "--epochs", "0")]
    [InlineData(2, "--ablate gamma=0..0.5 needs a prompt: --epochs, --initial", "gamma=0..0.5", "--from-scratch", "--epochs", "0")]
    [InlineData(2, "--ablate modules needs a prompt", "modules", "--from-scratch", "--epochs", "0")]
    [InlineData(2, "--from-scratch where the backbone brings a prompt", "T=1..6", "--epochs", "1")]
    [InlineData(2, "expected 1 to 100 whole numbers of 1 to 50176", "k=0,10")]
    [InlineData(2, "expected 1 to 100 whole numbers of 1 to 50176", "k=1..2000")]
    [InlineData(2, "numbers of 0 to 1 as", "gamma=0,05")]
    [InlineData(2, "numbers of 0 to 1 as", "gamma=0..0,5")]
    [InlineData(2, "whole numbers of 0 to 64", "T=1,000", "--from-scratch")]
    [InlineData(2, "got '10..1'", "k=10..1")]
    [InlineData(2, "got '1..2..3'", "k=1..2..3")]
    [InlineData(2, "got '1,x'", "k=1,x")]
    [InlineData(2, "got '1:2'", "k=1:2")]
    [InlineData(2, "numbers of 0 to 1 as", "gamma=0..1.5", "--epochs", "1")]
    [InlineData(2, "whole numbers of 0 to 64", "T=0.5", "--epochs", "1")]
    [InlineData(2, "expected T=VALUES, k=VALUES, gamma=VALUES, contrast=VALUES or modules, got 'lambda=1'", "lambda=1")]
    [InlineData(2, "expected 'k' once, got it 2 times", "k=1", "k=2")]
    public void Evaluate_WrongAblation_SaysSo(int code, string message, params string[] arguments)
    {
        var (actual, _, error) = Tool.Run(["evaluate", "--data", products.Root, "--backbone", "compact", "--ablate", .. arguments]);
        actual.Should().Be(code);
        error.Should().Contain(message).And.NotContain("   at ");
    }

    public void Dispose() => products.Dispose();

    private string In(string name) => products.In(name);

    private static IEnumerable<(string, double)> Means(JsonElement mean)
        => mean.EnumerateObject().Where(metric => !metric.Name.StartsWith("seconds", StringComparison.Ordinal)).Select(metric => (metric.Name, metric.Value.GetDouble()));
}
