using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Onnx.Tests.Reading;

/// <summary>An exported file in Node.js: another build of the runtime, and nothing of this library.</summary>
public sealed class OtherLanguageTests(ExportedPart part) : IClassFixture<ExportedPart>
{
    // The second is for the page's program, which reads a photograph.
    private static readonly string[] Packages = ["onnxruntime-node@1.30.0", "sharp@0.35.5"];

    [SkippableFact]
    public void Node_ProgramOfThePage_GetsTheModelsVerdict()
    {
        var fetched = Fetched();
        var page = File.ReadAllText(Path.Combine(SharedFiles.RepositoryRoot, "docs", "how-to", "deploy-without-libtorch.md"));
        var program = page.Split("```js\n")[1].Split("```")[0];
        Directory.CreateDirectory(part.Path("reader/incoming"));
        File.WriteAllText(part.Path("reader/page.js"), program);
        File.Copy(part.File, part.Path("reader/bolt.onnx"), overwrite: true);
        foreach (var (i, image) in part.Images.Index())
        {
            File.WriteAllBytes(part.Path("reader/incoming/1.png"), ImageCodec.EncodePng(image));
            var (code, output, error) = Run("node", part.Path("reader"), fetched, part.Path("reader/page.js"));
            code.Should().Be(0, error);
            var expected = part.Model.Inspect(image);
            var words = output.Trim().Split(' ');
            float.Parse(words[0], CultureInfo.InvariantCulture).Should().BeApproximately(expected.Score, 6e-4f, $"image {i}");
            words[1].Should().Be(expected.IsAnomalous ? "anomalous" : "good");
        }
    }

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

        var (code, output, error) = Run("node", folder, folder, [.. arguments]);
        code.Should().Be(0, error);
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        lines.Should().HaveCount(part.Images.Length);
        foreach (var (i, line) in lines.Index())
        {
            var got = JsonSerializer.Deserialize<OnnxVerdict>(line, JsonSerializerOptions.Web)!;
            SameVerdicts.Check(part.Model.Inspect(part.Images[i]), got, $"image {i} in Node.js", SameVerdicts.Resized);
        }
    }

    /// <summary>Where the packages are unpacked: once for all runs, as they are large.</summary>
    private static string Fetched()
    {
        var folder = Path.Combine(SharedFiles.RepositoryRoot, "artifacts", string.Join('-', Packages).Replace('@', '-'));
        if (Packages.Any(package => !File.Exists(Path.Combine(folder, "node_modules", package.Split('@')[0], "package.json"))))
        {
            Directory.CreateDirectory(folder);
            var (code, _, error) = Run("npm", folder, folder,
                ["install", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund", .. Packages]);
            Skip.If(code != 0, $"npm cannot fetch {string.Join(", ", Packages)}: {error.Split('\n')[0]}");
        }

        return folder;
    }

    private static (int Code, string Output, string Error) Run(string program, string folder, string packages, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder };
        start.Environment["NODE_PATH"] = Path.Combine(packages, "node_modules");
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
