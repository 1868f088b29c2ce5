using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Benchmarks.Bars;

/// <summary>The exported file beside the model it was exported from: the default backbone, four photographs.</summary>
internal static class OnnxBars
{
    private const int Side = 224;
    private const int Rounds = 25;

    public static IEnumerable<(string Name, Bar Bar)> Measure()
    {
        var folder = Directory.CreateTempSubdirectory("kagprompt-onnx-bars-").FullName;
        try
        {
            var (file, picture) = (Path.Combine(folder, "part.onnx"), Path.Combine(folder, "part.jpg"));
            var photograph = TestImages.Part(Side, Side, 77);
            File.WriteAllBytes(picture, ImageCodec.EncodeJpeg(photograph, 95));
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
            yield return ("onnx_first_score_seconds", new(Timing.Median(() => OwnProcess.Run(["onnx-first-score", file, picture]), rounds: 3), 1, "s"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>A new process's part: from an exported file and a picture to a score.</summary>
    public static void Score(string file, string picture)
    {
        using var inspector = OnnxInspector.Load(file);
        Console.WriteLine(inspector.Inspect(picture).Score);
    }
}
