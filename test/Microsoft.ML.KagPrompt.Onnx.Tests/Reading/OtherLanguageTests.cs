using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Onnx.Tests.Reading;

/// <summary>An exported file in Node.js: another build of the runtime, and nothing of this library.</summary>
public sealed class OtherLanguageTests(ExportedPart part) : IClassFixture<ExportedPart>
{
    private const string Package = "onnxruntime-node@1.30.0";

    [SkippableFact]
    public void Node_Images_GetTheModelsVerdicts()
    {
        var folder = Fetched();
        var arguments = new List<string> { Path.Combine(AppContext.BaseDirectory, "Reading", "score.js"), part.File };
        foreach (var (i, image) in part.Images.Index())
        {
            File.WriteAllBytes(part.Path($"{i}.rgb"), image.Rgb);
            arguments.AddRange([part.Path($"{i}.rgb"), $"{image.Width}", $"{image.Height}"]);
        }

        var (code, output, error) = Run("node", folder, [.. arguments]);
        code.Should().Be(0, error);
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        lines.Should().HaveCount(part.Images.Length);
        foreach (var (i, line) in lines.Index())
        {
            var got = JsonSerializer.Deserialize<OnnxVerdict>(line, JsonSerializerOptions.Web)!;
            SameVerdicts.Check(part.Model.Inspect(part.Images[i]), got, $"image {i} in Node.js", SameVerdicts.Resized);
        }
    }

    /// <summary>Where the package is unpacked: once for all runs, as it is large.</summary>
    private static string Fetched()
    {
        var folder = Path.Combine(SharedFiles.RepositoryRoot, "artifacts", Package.Replace('@', '-'));
        if (!File.Exists(Path.Combine(folder, "node_modules", "onnxruntime-node", "package.json")))
        {
            Directory.CreateDirectory(folder);
            var (code, _, error) = Run("npm", folder, "install", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund", Package);
            Skip.If(code != 0, $"npm cannot fetch {Package}: {error.Split('\n')[0]}");
        }

        return folder;
    }

    private static (int Code, string Output, string Error) Run(string program, string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder };
        start.Environment["NODE_PATH"] = Path.Combine(folder, "node_modules");
        try
        {
            using var process = Process.Start(start)!;
            var error = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, output, error.Result);
        }
        catch (System.ComponentModel.Win32Exception fault)
        {
            throw new SkipException(string.Create(CultureInfo.InvariantCulture, $"{program} is not installed: {fault.Message}"));
        }
    }
}
