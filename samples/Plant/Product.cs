using Microsoft.ML.KagPrompt;
using QuickStart;

namespace Plant;

/// <summary>Rendered washers, and a model of them as an exported file: silos need no libtorch.</summary>
internal static class Product
{
    public const string Name = "washer";

    private const int Supports = 4, Taught = 24, FirstPart = 100_000;

    private static readonly string?[] Kinds = [null, null, "scratch", null, null, null, "stain", null, "missing_hole", null, null, "chip"];

    /// <summary>Fits the model into a file, and tells the scores of further good parts: what drift is told against.</summary>
    public static float[] Fit(string path)
    {
        using var model = KagPromptTrainer.Fit(
            Enumerable.Range(0, Supports).Select(i => new TrainingImage { Image = PartRenderer.Render(1000 + i, null).Picture, ClassName = Name }),
            new() { Images = new() { Size = 224 }, Device = "cpu" });
        model.ExportOnnx(path);
        return [.. Enumerable.Range(0, Taught).Select(i => model.Inspect(PartRenderer.Render(2000 + i, null).Picture).Score)];
    }

    /// <summary>Milliseconds of the processor that a part takes without the plant: decoded and inspected, one at a time.</summary>
    public static async Task<double> AloneAsync(string path, byte[][] parts)
    {
        using var model = new OnnxModelLoader(new() { Threads = 1 }).Load(path);
        async Task InspectAsync(byte[] part) => await model.InspectAsync([model.ToModelSize(ImageCodec.Read(part, "part"))]);
        await InspectAsync(parts[0]);
        var before = Environment.CpuUsage.TotalTime;
        foreach (var part in parts)
        {
            await InspectAsync(part);
        }

        return (Environment.CpuUsage.TotalTime - before).TotalMilliseconds / parts.Length;
    }

    /// <summary>Parts as they come, one in three defective, as PNG.</summary>
    public static byte[][] Parts(int count)
        => [.. Enumerable.Range(0, count).Select(i => ImageCodec.EncodePng(PartRenderer.Render(FirstPart + i, Kinds[i % Kinds.Length]).Picture))];
}
