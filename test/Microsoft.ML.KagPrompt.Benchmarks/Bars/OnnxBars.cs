using System.Runtime.InteropServices;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Benchmarks.Bars;

/// <summary>The exported file beside the model it was exported from: the default backbone, four photographs.</summary>
internal static class OnnxBars
{
    private const int Side = 224;
    private const int Rounds = 25;
    private const int Starts = 10;

    public static IEnumerable<(string Name, Bar Bar)> Measure()
    {
        var folder = Directory.CreateTempSubdirectory("kagprompt-onnx-bars-").FullName;
        try
        {
            var file = Path.Combine(folder, "part.onnx");
            var photograph = TestImages.Part(Side, Side, 77);
            TrainingImage[] supports = [.. Enumerable.Range(0, 4).Select(i => new TrainingImage { Image = TestImages.Part(Side, Side, i) })];
            using var model = KagPromptTrainer.Fit(supports, new InspectionOptions { Device = "cpu" });
            model.ExportOnnx(file);
            var all = torch.get_num_threads();
            foreach (var threads in (int[])[1, all])
            {
                torch.set_num_threads(threads);
                using var inspector = OnnxInspector.Load(file, new OnnxInspectorOptions { Threads = threads });
                var medians = Timing.Medians(Rounds, () => inspector.Inspect(photograph), () => model.Inspect(photograph));
                yield return ($"onnx_over_torch_{threads}thread", new(medians[0] / medians[1], 1.1, "ratio"));
            }

            torch.set_num_threads(all);
            var photographs = Directory.CreateDirectory(Path.Combine(folder, "photographs")).FullName;
            File.WriteAllBytes(Path.Combine(photographs, "part.jpg"), ImageCodec.EncodeJpeg(photograph, 95));
            var cost = Published(Path.Combine(folder, "program")) is { } program
                ? OwnProcess.Best(Starts, () => OwnProcess.Run(program, [file, photographs], exitCodes: [0, 1])) : new(double.NaN, double.NaN);
            yield return ("onnx_first_score_seconds", new(cost.Seconds, 1, "s"));
            yield return ("onnx_first_score_resident", new(cost.Megabytes, double.NaN, "MB"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>The example for small computers, published for this one as its page says; null: it could not be, and why is told.</summary>
    private static string? Published(string folder)
    {
        try
        {
            OwnProcess.Run("dotnet", ["publish", Path.Combine("examples", "SmallComputer"), "-c", "Release",
                "-r", RuntimeInformation.RuntimeIdentifier, "-o", folder, "-nologo", "-v", "quiet"]);
            return Path.Combine(folder, OperatingSystem.IsWindows() ? "SmallComputer.exe" : "SmallComputer");
        }
        catch (InvalidOperationException fault)
        {
            Console.Error.WriteLine($"The first score of an exported file is left out: the example could not be published: {fault.Message}");
            return null;
        }
    }
}
