using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Hosting.Tests;

/// <summary>Two models of one part that score differently, each as a zip and as an exported file.</summary>
public sealed class FittedModels : IDisposable
{
    public const int Side = 112;

    private readonly string root = Directory.CreateTempSubdirectory("kagprompt-real-").FullName;

    public FittedModels() => (A, B) = (Fit("a", 0), Fit("b", 50));

    // A processor, whatever the machine has.
    public MLContext Ml { get; } = new(seed: 1) { GpuDeviceId = -1, FallbackToCpu = true };

    public (string Zip, string Onnx) A { get; }

    public (string Zip, string Onnx) B { get; }

    public string In(string name) => Path.Combine(root, name);

    public void Dispose() => Directory.Delete(root, recursive: true);

    private (string Zip, string Onnx) Fit(string name, int seed)
    {
        var rows = Ml.Data.LoadFromEnumerable(Enumerable.Range(0, 3).Select(i =>
        {
            TestImages.Write(TestImages.Part(120, 90, seed + i), In($"{name}{i}.png"));
            return new Row { ImagePath = In($"{name}{i}.png") };
        }).ToArray());
        using var model = Ml.Transforms.LoadImages("Image", "", "ImagePath")
            .Append(Ml.Transforms.DetectAnomaliesKag(new KagPromptOptions { Images = new() { Size = Side } })).Fit(rows);
        Ml.Model.Save(model, rows.Schema, In($"{name}.zip"));
        model.LastTransformer.ExportOnnx(In($"{name}.onnx"));
        return (In($"{name}.zip"), In($"{name}.onnx"));
    }

    private sealed class Row
    {
        public string ImagePath { get; set; } = "";
    }
}
