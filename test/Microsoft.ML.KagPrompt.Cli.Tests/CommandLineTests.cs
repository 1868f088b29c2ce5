using System.Text.RegularExpressions;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Cli.Tests;

/// <summary>What every command has in common: help, usage errors, faults of the tool itself.</summary>
public sealed class CommandLineTests(FittedPart part) : IClassFixture<FittedPart>
{
    public static TheoryData<string> Commands => ["fit", "adapt", "score", "report", "evaluate", "threshold", "convert", "info"];

    [Theory]
    [MemberData(nameof(Commands))]
    public void Help_EveryDefault_IsOneThatIsTaken(string command)
    {
        var (code, help, _) = Tool.Run(command, "--help");
        code.Should().Be(0);
        help.Should().NotContain("System.").And.Contain("--debug");
        // Other things are missing; that a value is wrong is not among what is said.
        var defaults = Regex.Matches(help, @"^\s+(--[\w-]+) .*\[default: (.+?)\]\s*$", RegexOptions.Multiline);
        Tool.Run([command, .. defaults.SelectMany(match => (string[])[match.Groups[1].Value, match.Groups[2].Value])]).Error.Should().NotContain("expected").And.NotContain("nrecognized");
    }

    [Fact]
    public void Help_ListsOfNumbers_ShowsThemAsTheyAreTyped()
        => Tool.Run("evaluate", "--help").Output.Should().Contain("[default: 1,2,4]");

    [Fact]
    public void Help_EpochsOfFitAndEvaluate_AreTheSame()
    {
        var defaults = ((string[])["fit", "evaluate"]).Select(command => Regex.Match(Tool.Run(command, "--help").Output, @"--epochs .*Unless given: kag (\d+), ").Groups[1].Value).ToArray();
        defaults[0].Should().NotBeEmpty().And.Be(defaults[1]).And.Be($"{new TrainingOptions().Epochs}");
    }

    [Theory]
    [InlineData("See 'kagprompt fit --help'.", "Option '--out' is required.", "fit", "DATA")]
    [InlineData("See 'kagprompt score --help'.", "--threshold: expected a number", "score", "MODEL", "x.png", "--threshold", "1.000,5")]
    [InlineData("See 'kagprompt --help'.", "'scoer'", "scoer")]
    [InlineData("See 'kagprompt --help'.", "Required command", "--debug")]
    public void Usage_Wrong_SaysWhatAndWhereHelpIs(string hint, string message, params string[] arguments)
    {
        var (code, output, error) = Tool.Run(arguments);
        code.Should().Be(2);
        output.Should().BeEmpty("help is not asked for");
        var lines = error.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        lines[0].Should().Contain(message);
        lines[^1].Should().Be(hint);
        lines.Length.Should().BeLessThan(5);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Run_FaultOfTheToolItself_IsALineAndWhereItWasOnlyIfAsked(bool debug)
    {
        // A heap of 16 MB, which the model does not fit in.
        using var process = Tool.Open(new Dictionary<string, string> { ["DOTNET_GCHeapHardLimit"] = "1000000" }, ["info", part.Model, .. debug ? (string[])["--debug"] : []]);
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        process.ExitCode.Should().Be(4, error);
        error.Should().Contain("OutOfMemoryException");
        error.Contains("   at ", StringComparison.Ordinal).Should().Be(debug);
        if (!debug)
        {
            error.Trim().Should().NotContain("\n").And.Contain("--debug");
        }
    }

    [Fact]
    public void Run_BadInputWithDebug_ShowsWhereToo()
    {
        var (code, _, error) = Tool.Run("info", "absent.safetensors", "--debug");
        code.Should().Be(3);
        error.Should().Contain("   at ");
    }

    [SkippableTheory]
    [InlineData("score", "MODEL", "DATA")]
    [InlineData("report", "MODEL", "--data", "DATA", "--html", "NEW")]
    [InlineData("fit", "DATA", "--out", "NEW", "--epochs", "0")]
    [InlineData("adapt", "MODEL", "DATA", "--out", "NEW")]
    [InlineData("evaluate", "--data", "DATA")]
    public void Device_GpuThatIsNotThere_IsNamedAndNothingElseIsBlamed(params string[] arguments)
    {
        Skip.If(TorchSharp.torch.cuda.is_available() && TorchSharp.torch.cuda.device_count() > 200, "there are GPUs in plenty");
        var (code, _, error) = Tool.Run([.. arguments.Select(argument => argument switch { "MODEL" => part.Model, "DATA" => part.In("."), "NEW" => part.In("new.zip"), _ => argument }), "--device", "cuda:201"]);
        code.Should().Be(3, error);
        error.Trim().Should().Contain("CUDA device 201").And.NotContain("model zip").And.NotContain("\n");
        File.Exists(part.In("new.zip")).Should().BeFalse();
    }
}
