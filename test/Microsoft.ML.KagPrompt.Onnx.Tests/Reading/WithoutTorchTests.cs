using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Microsoft.ML.KagPrompt.Onnx.Tests.Reading;

/// <summary>A program that references the reader alone: it has no libtorch, and scores the same.</summary>
public sealed class WithoutTorchTests(ExportedPart part) : IClassFixture<ExportedPart>
{
    private static readonly string Program = typeof(WithoutTorchTests).Assembly.Location
        .Replace("Microsoft.ML.KagPrompt.Onnx.Tests", "Microsoft.ML.KagPrompt.OnnxProcess", StringComparison.Ordinal);

    [Fact]
    public void OutputFolder_HoldsNoTorch()
    {
        var files = Directory.EnumerateFiles(Path.GetDirectoryName(Program)!, "*", SearchOption.AllDirectories).Select(Path.GetFileName).ToArray();
        files.Should().Contain("Microsoft.ML.KagPrompt.Onnx.dll", "else this looks at another folder");
        files.Should().NotContain(name => name!.Contains("torch", StringComparison.OrdinalIgnoreCase) || name == "Microsoft.ML.KagPrompt.Core.dll");
    }

    [Fact]
    public void Process_FileAndPipeline_ScoresTheSameWithoutTorch()
    {
        var ml = new MLContext();
        var zip = part.Path("without.zip");
        using (var model = ml.Transforms.LoadImages("Image", "", "ImagePath").Append(ml.Transforms.ApplyKagOnnx(part.File)).Fit(ExportedPart.Rows(ml, part.Queries)))
        {
            ml.Model.Save(model, ExportedPart.Rows(ml, part.Queries).Schema, zip);
        }

        using var inspector = OnnxInspector.Load(part.File, new() { Threads = 1 });
        var expected = part.Queries.Select(path => Bits(inspector.Inspect(path)));
        Run(part.File).Should().Equal(expected);
        Run(zip).Should().HaveCount(part.Queries.Length).And.OnlyHaveUniqueItems();
    }

    /// <summary>The lines of bits, of a process of which the loaded libraries were looked at.</summary>
    private string[] Run(string model)
    {
        var start = new ProcessStartInfo("dotnet", ["exec", Program, model, .. part.Queries]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var lines = process.StandardOutput.ReadToEnd().Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries);
        process.WaitForExit();
        process.ExitCode.Should().Be(0, error.Result);
        var loaded = lines.Where(line => line.StartsWith("loaded ", StringComparison.Ordinal)).ToArray();
        loaded.Should().Contain(line => line.Contains("onnxruntime"), "else the list of libraries says nothing");
        loaded.Should().NotContain(line => line.Contains("torch", StringComparison.OrdinalIgnoreCase));
        return [.. lines.Except(loaded)];
    }

    private static string Bits(Inspection verdict)
        => $"{BitConverter.SingleToUInt32Bits(verdict.Score):x8} {Convert.ToHexString(SHA256.HashData(MemoryMarshal.AsBytes<float>(verdict.Map)))}";
}
