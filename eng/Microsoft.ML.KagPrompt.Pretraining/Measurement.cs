using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Metrics;
using Microsoft.ML.KagPrompt.Numerics;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Pretraining;

/// <summary>AUROC of a memory bank alone over some taps: four supports, mean of three draws, maps at 224.</summary>
internal sealed class Measurement(Func<Tensor, IReadOnlyList<Tensor>> taps)
{
    private const int Side = 224;
    private const int Draws = 3;

    private readonly MapMaker maps = new(MapUpsampling.CellCentres, Side);
    private readonly ImagePreprocessor preprocessor = new(Side, ResizeMode.Stretch, [0.5f, 0.5f, 0.5f], [0.5f, 0.5f, 0.5f]);

    /// <summary>Image and pixel AUROC in percent of a folder in MVTec's layout.</summary>
    public (double Image, double Pixel) Measure(string folder, int shots)
    {
        var train = Files(Path.Combine(folder, "train", "good")).Select(Encode).ToArray();
        var test = Directory.GetDirectories(Path.Combine(folder, "test")).Order().SelectMany(Files).ToArray();
        var encoded = test.Select(Encode).ToArray();
        var labels = test.Select(path => Path.GetFileName(Path.GetDirectoryName(path)) != "good").ToArray();
        var masks = test.Select((path, i) => Mask(folder, path, labels[i])).ToArray();
        var (image, pixel) = (0.0, 0.0);
        for (var draw = 0; draw < Draws; draw++)
        {
            var order = Enumerable.Range(0, train.Length).ToArray();
            new Random(draw).Shuffle(order);
            using var bank = MemoryBank.Build([.. order.Take(shots).Select(i => train[i])]);
            var scores = new float[test.Length];
            var pixels = new float[test.Length * Side * Side];
            for (var i = 0; i < test.Length; i++)
            {
                using var scope = NewDisposeScope();
                var map = maps.Mean(bank.Distances(encoded[i]), [.. encoded[i].Select(tokens => PatchGrid.Tiling((int)Math.Sqrt(tokens.shape[1]), Side))]);
                scores[i] = ImageScore.TopMean(map, 30).Value();
                map.data<float>().CopyTo(pixels, i * Side * Side);
            }

            image += RocMetrics.Auroc(scores, labels) / Draws;
            pixel += RocMetrics.Auroc(pixels, masks.SelectMany(mask => mask).ToArray()) / Draws;
        }

        return (100 * image, 100 * pixel);
    }

    private IReadOnlyList<Tensor> Encode(string path)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        return [.. taps(preprocessor.Normalize([preprocessor.Resize(Photographs.Read(path))])).Select(tap => tap.DetachFromDisposeScope())];
    }

    private bool[] Mask(string folder, string path, bool anomalous)
    {
        if (!anomalous)
        {
            return new bool[Side * Side];
        }

        var type = Path.GetFileName(Path.GetDirectoryName(path))!;
        var mask = Directory.GetFiles(Path.Combine(folder, "ground_truth", type), Path.GetFileNameWithoutExtension(path) + "*").Order().First();
        var picture = Photographs.Read(mask);
        return [.. preprocessor.ResizeMask(picture.Rgb.Where((_, i) => i % 3 == 0).ToArray(), picture.Width, picture.Height).Select(value => value > 127)];
    }

    private static string[] Files(string folder) => [.. Directory.GetFiles(folder).Where(path => path.EndsWith(".png", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".jpg", StringComparison.OrdinalIgnoreCase)).Order()];
}
