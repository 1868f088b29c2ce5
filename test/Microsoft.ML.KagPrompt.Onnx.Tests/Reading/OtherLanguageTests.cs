using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Onnx.Tests.Reading;

/// <summary>An exported file in other languages, by the programs that the page shows: nothing of this library.</summary>
public sealed class OtherLanguageTests(ExportedPart part) : IClassFixture<ExportedPart>
{
    // The second is for the page's program, which reads a photograph.
    private static readonly string[] Packages = ["onnxruntime-node@1.30.0", "sharp@0.35.5"];

    // In the place of the reader of PNG files that the page's program in C++ names: no package brings it.
    private const string PixelReader = """
        #include <cstdio>
        #include <cstdlib>
        typedef unsigned char stbi_uc;
        static stbi_uc* stbi_load(const char* path, int* width, int* height, int* channels, int wanted) {
          char name[256];
          std::snprintf(name, sizeof name, "%s.pixels", path);
          FILE* file = std::fopen(name, "rb");
          if (!file || std::fscanf(file, "%d %d", width, height) != 2 || std::fgetc(file) != '\n') std::exit(3);
          *channels = wanted;
          const size_t size = 3u * *width * *height;
          stbi_uc* pixels = (stbi_uc*)std::malloc(size);
          if (std::fread(pixels, 1, size, file) != size) std::exit(4);
          return pixels;
        }
        """;

    [SkippableFact]
    public void Node_ProgramOfThePage_GetsTheModelsVerdict()
    {
        var fetched = Fetched();
        Enter("js", "page.js");
        GetsTheModelsVerdicts(() => Run("node", part.Path("reader"), fetched, part.Path("reader/page.js")));
    }

    [SkippableFact]
    public void Cpp_ProgramOfThePage_GetsTheModelsVerdict()
    {
        Skip.IfNot(OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64, "the runtime's library here is Linux's");
        var folder = Enter("cpp", "page.cpp");
        File.WriteAllText(Path.Combine(folder, "stb_image.h"), PixelReader);
        var headers = typeof(OtherLanguageTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .Single(entry => entry.Key == "OnnxRuntimeHeaders").Value!;
        // The package has the library without the name that programs look for.
        File.CreateSymbolicLink(Path.Combine(folder, "libonnxruntime.so.1"),
            Path.Combine(AppContext.BaseDirectory, "runtimes", "linux-x64", "native", "libonnxruntime.so"));
        var (code, _, error) = Run("g++", folder, folder, "-std=c++17", "-I.", "-I", headers, "page.cpp", "-o", "page",
            "libonnxruntime.so.1", $"-Wl,-rpath,{folder}");
        code.Should().Be(0, error);
        GetsTheModelsVerdicts(() => Run(Path.Combine(folder, "page"), folder, folder));
    }

    [SkippableFact]
    public void Python_ProgramOfThePage_GetsTheModelsVerdict()
    {
        var folder = Enter("python", "page.py");
        var (code, _, error) = Run("python3", folder, folder, "-m", "py_compile", "page.py");
        code.Should().Be(0, error);
        Skip.If(Run("python3", folder, folder, "-c", "import numpy, onnxruntime, PIL").Code != 0,
            "Python reads the program, but has no numpy, onnxruntime and Pillow to run it");
        GetsTheModelsVerdicts(() => Run("python3", folder, folder, "page.py"));
    }

    /// <summary>A folder as the page's programs expect it, with one of them.</summary>
    private string Enter(string language, string name)
    {
        var page = File.ReadAllText(Path.Combine(SharedFiles.RepositoryRoot, "docs", "how-to", "deploy-without-libtorch.md"));
        Directory.CreateDirectory(part.Path("reader/incoming"));
        File.WriteAllText(part.Path($"reader/{name}"), page.Split($"```{language}\n")[1].Split("```")[0]);
        File.Copy(part.File, part.Path("reader/bolt.onnx"), overwrite: true);
        return part.Path("reader");
    }

    private void GetsTheModelsVerdicts(Func<(int Code, string Output, string Error)> program)
    {
        foreach (var (i, image) in part.Images.Index())
        {
            File.WriteAllBytes(part.Path("reader/incoming/1.png"), ImageCodec.EncodePng(image));
            File.WriteAllBytes(part.Path("reader/incoming/1.png.pixels"),
                [.. Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{image.Width} {image.Height}\n")), .. image.Rgb]);
            var (code, output, error) = program();
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
