using System.Diagnostics;
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

    /// <summary>
    /// Pictures a second and milliseconds of the processor a picture without the plant: decoded and inspected one at a time on each core,
    /// all of which are busy, as they are in the plant.
    /// </summary>
    public static async Task<(double PerSecond, double Milliseconds)> AloneAsync(string path, byte[][] parts)
    {
        var models = Enumerable.Range(0, Environment.ProcessorCount).Select(_ => new OnnxModelLoader(new() { Threads = 1 }).Load(path)).ToArray();
        async Task EachAsync(IEnumerable<byte[]> some) => await Task.WhenAll(models.Select(model => Task.Run(async () =>
        {
            foreach (var part in some)
            {
                await model.InspectAsync([model.ToModelSize(ImageCodec.Read(part, "part"))]);
            }
        })));
        await EachAsync(parts[..4]);
        var (before, clock, all) = (Environment.CpuUsage.TotalTime, Stopwatch.StartNew(), models.Length * parts.Length);
        await EachAsync(parts);
        var found = (all / clock.Elapsed.TotalSeconds, (Environment.CpuUsage.TotalTime - before).TotalMilliseconds / all);
        Array.ForEach(models, model => model.Dispose());
        return found;
    }

    /// <summary>Parts as they come, one in three defective, as PNG.</summary>
    public static byte[][] Parts(int count)
        => [.. Enumerable.Range(0, count).Select(i => ImageCodec.EncodePng(PartRenderer.Render(FirstPart + i, Kinds[i % Kinds.Length]).Picture))];
}
