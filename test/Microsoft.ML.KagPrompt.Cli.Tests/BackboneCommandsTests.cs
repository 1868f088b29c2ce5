using System.Diagnostics;
using System.Text.Json;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Cli.Tests;

public sealed class BackboneCommandsTests : IDisposable
{
    private readonly DisposeScope scope = torch.NewDisposeScope();
    private readonly string folder = Directory.CreateTempSubdirectory("kagprompt-tool-").FullName;

    public BackboneCommandsTests()
    {
        TinyBackbones.WritePyTorch(In("clip.pt"), TinyBackbones.Clip(1));
        TinyBackbones.WriteVocabulary(folder);
        Directory.CreateDirectory(In("empty"));
    }

    [Fact]
    public void Convert_Checkpoint_MakesADirectoryThatInfoDescribes()
    {
        var (code, output, error) = Tool.Run("convert", In("clip.pt"), "--out", In("made"), "--type", "bfloat16");
        (code, error).Should().Be((0, ""));
        output.Should().Contain("Converting: 100 %").And.Contain("Family: OpenCLIP").And.NotContain("\u001b", "piped output is plain");
        Directory.GetFiles(In("made")).Select(Path.GetFileName).Should().BeEquivalentTo("backbone.json", "vision.safetensors", "text.safetensors", "vocab.json", "merges.txt");

        var info = Tool.Run("info", In("made"));
        info.Code.Should().Be(0);
        output.Should().EndWith(info.Output);
        info.Output.Should().Contain("Licence: MIT").And.Contain("Graph prompt: yes").And.MatchRegex("SHA-256: [0-9a-f]{64}");
        using var json = JsonDocument.Parse(Tool.Run("info", In("made"), "--json").Output);
        json.RootElement.GetProperty("visionParameters").GetInt64().Should().BeGreaterThan(100_000);
        json.RootElement.GetProperty("patchSize").GetInt32().Should().Be(14);
    }

    [Fact]
    public void Info_NoTextSideOrNoVocabulary_SaysWhatIsMissing()
    {
        TinyBackbones.WriteSafetensors(In("dino.safetensors"), TinyBackbones.DinoV2(2));
        Tool.Run("info", In("dino.safetensors")).Output.Should().Contain("Text tower: none").And.Contain("Backbone.MemoryName");
        File.Delete(In("merges.txt"));
        Tool.Run("info", In("clip.pt")).Output.Should().Contain("needs the vocabulary");
        Tool.Run("info", "compact").Output.Should().Contain("Name: compact");
    }

    [Theory]
    [InlineData(2, "Required command")]
    [InlineData(2, "'IN'", "convert", "--out", "there")]
    [InlineData(2, "--out", "convert", "clip.pt")]
    [InlineData(2, "Float16", "convert", "clip.pt", "--out", "there", "--type", "int3")]
    [InlineData(3, "Looked at", "info", "absent")]
    [InlineData(3, "a directory that BackboneConverter (kagprompt convert) made", "info", "absent")]
    [InlineData(3, "expected one file of weights", "info", "empty")]
    [InlineData(3, "not a safetensors file", "info", "merges.txt")]
    [InlineData(3, "exists already", "convert", "clip.pt", "--out", ".")]
    public void Run_WrongArgumentsOrInput_SaysSo(int code, string message, params string[] arguments)
    {
        var (actual, output, error) = Tool.Run([.. arguments.Select(argument => argument is "." or "absent" or "empty" || File.Exists(In(argument)) ? In(argument) : argument == "there" ? In("there") : argument)]);
        actual.Should().Be(code);
        error.Should().Contain(message).And.NotContain("   at ", "a user is not shown a stack trace");
        if (code == 3)
        {
            output.Should().BeEmpty();
        }

        Directory.Exists(In("there")).Should().BeFalse();
    }

    [SkippableFact]
    public void Convert_Interrupted_LeavesNothingAndGoesOn()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "sends SIGINT");
        // Large enough that the signal comes before the end.
        TinyBackbones.WriteSafetensors(In("clip.safetensors"), Deepened());
        using (var process = Tool.Start("convert", In("clip.safetensors"), "--out", In("made")))
        {
            process.StandardOutput.ReadLine().Should().StartWith("Converting");
            using var kill = Process.Start("kill", ["-INT", $"{process.Id}"])!;
            kill.WaitForExit();
            process.WaitForExit();
            process.ExitCode.Should().Be(130);
            process.StandardError.ReadToEnd().Should().Contain("Cancelled");
        }

        Directory.Exists(In("made")).Should().BeFalse();
        Tool.Run("convert", In("clip.safetensors"), "--out", In("made")).Code.Should().Be(0);
        Directory.Exists(In("made.partial")).Should().BeFalse();
    }

    public void Dispose()
    {
        scope.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private string In(string name) => Path.Combine(folder, name);

    /// <summary>A checkpoint of many blocks.</summary>
    private static Dictionary<string, torch.Tensor> Deepened()
    {
        var tensors = TinyBackbones.Clip(1);
        foreach (var (name, tensor) in tensors.Where(entry => entry.Key.StartsWith("visual.transformer.resblocks.3.", StringComparison.Ordinal)).ToArray())
        {
            for (var i = 4; i < 200; i++)
            {
                tensors.Add(name.Replace("resblocks.3.", $"resblocks.{i}.", StringComparison.Ordinal), tensor);
            }
        }

        return tensors;
    }
}
