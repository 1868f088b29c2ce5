using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Methods.Kag;
using Microsoft.ML.KagPrompt.Metrics;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.Numerics;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Pretraining;

/// <summary>What each branch of the method reaches on a labelled set: the bank alone, the graph prompt alone (no support images), both. Every image is encoded once for all draws.</summary>
internal sealed class Branches(IBackboneFiles files, string? prompt, Action<string> report)
{
    private const double AuproLimit = 0.3;

    private readonly KagOptions options = new();

    /// <summary>Image AUROC, pixel AUROC, AUPRO in percent, averaged over the draws.</summary>
    public void Measure(string folder, IReadOnlyList<int> shots, int draws)
    {
        using var tower = files.Vision();
        using var graph = prompt is null ? null : ShippedFiles.ReadPrompt(GraphPromptConfig.For(tower.Info, options.Prompt.Variant, options.Prompt.Iterations), prompt);
        var name = Path.GetFileName(folder.TrimEnd('/'));
        var text = graph is null ? null : files.TextFeatures([name], CPU)[name];
        var side = tower.Info.ImageSize;
        var (variant, maps) = (KagVariant.For(options.Prompt.Variant), new MapMaker(MapUpsampling.CellCentres, side));
        var preprocessor = new ImagePreprocessor(side, ResizeMode.Stretch, tower.Info.Mean, tower.Info.Std);
        var set = LabelledFolder.Read(folder, preprocessor);
        var normal = new Dictionary<string, IReadOnlyList<Tensor>>();
        IReadOnlyList<Tensor> TokensOf(string path)
        {
            using var features = tower.Encode(preprocessor.Normalize([preprocessor.Resize(Photographs.Read(path))]));
            return [.. features.PatchTokens.Select(tokens => tokens.alias().DetachFromDisposeScope())];
        }

        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var test = set.Test.Select(image =>
        {
            using var inner = NewDisposeScope();
            var features = tower.Encode(preprocessor.Normalize([preprocessor.Resize(Photographs.Read(image.Path))]));
            var nodes = graph?.Nodes(features.PromptTokens);
            var map = nodes is null ? null : PromptMap.Average(nodes, text!, variant, maps.Upsampler(tower.Info.PromptGrid(side))).MoveToOuterDisposeScope();
            var score = graph is null ? null : graph.ImageSimilarities(features.ImageEmbedding, text!).select(1, 1).MoveToOuterDisposeScope();
            return (Tokens: features.PatchTokens.Select(tokens => tokens.MoveToOuterDisposeScope()).ToArray(), Map: map, Score: score);
        }).ToArray();

        Figures Measure(Func<int, (Tensor Map, Tensor? Score)> branch)
        {
            var (scores, pixels) = (new float[test.Length], new float[test.Length * side * side]);
            for (var i = 0; i < test.Length; i++)
            {
                using var inner = NewDisposeScope();
                var (map, score) = branch(i);
                scores[i] = ImageScore.Fuse(score, ImageScore.TopMean(map, options.Fusion.TopK), options.Fusion.Gamma).data<float>()[0];
                map.data<float>().CopyTo(pixels, i * side * side);
            }

            return new Figures(RocMetrics.Auroc(scores, set.Labels), RocMetrics.Auroc(pixels, set.Masks), RegionOverlap.Aupro(pixels, set.Masks, side, side, AuproLimit));
        }

        if (graph is not null)
        {
            report($"{name}, no supports: graph {Measure(i => (test[i].Map!, test[i].Score))}");
        }

        foreach (var count in shots)
        {
            var (bankOnly, all) = (new List<Figures>(), new List<Figures>());
            for (var draw = 0; draw < draws; draw++)
            {
                var order = set.Normal.ToArray();
                new Random(draw).Shuffle(order);
                using var bank = MemoryBank.Build([.. order.Take(count).Select(path => normal.TryGetValue(path, out var known) ? known : normal[path] = TokensOf(path))]);
                Tensor MemoryMapOf(int i) => variant.MemoryMap(maps.Mean(bank.Distances(test[i].Tokens), tower.Info.TapGrids(side)));
                bankOnly.Add(Measure(i => (MemoryMapOf(i), null)));
                if (graph is not null)
                {
                    all.Add(Measure(i => (MapFusion.Fuse(test[i].Map, MemoryMapOf(i), options.Fusion.Gamma), test[i].Score)));
                }
            }

            report($"{name}, {count} supports, {draws} draws: bank {Figures.Mean(bankOnly)}{(graph is null ? "" : $", all {Figures.Mean(all)}")}");
        }
    }

    private sealed record Figures(double Image, double Pixel, double Regions)
    {
        public static Figures Mean(IReadOnlyCollection<Figures> draws) => new(draws.Average(f => f.Image), draws.Average(f => f.Pixel), draws.Average(f => f.Regions));

        public override string ToString() => FormattableString.Invariant($"{100 * Image:0.0} / {100 * Pixel:0.0} / {100 * Regions:0.0}");
    }
}

/// <summary>A folder in MVTec AD's layout: sound images to draw from, test images, and their masks at S × S one after the other.</summary>
internal sealed record LabelledFolder(IReadOnlyList<string> Normal, IReadOnlyList<(string Path, bool IsAnomalous)> Test, bool[] Labels, bool[] Masks)
{
    public static LabelledFolder Read(string folder, ImagePreprocessor preprocessor)
    {
        var side = preprocessor.ImageSize;
        var test = Directory.GetDirectories(Path.Combine(folder, "test")).Order(StringComparer.Ordinal)
            .SelectMany(type => Files(type).Select(path => (Path: path, IsAnomalous: Path.GetFileName(type) != "good"))).ToArray();
        var masks = new bool[test.Length * side * side];
        foreach (var (image, i) in test.Select((image, i) => (image, i)).Where(entry => entry.image.IsAnomalous))
        {
            var type = Path.GetFileName(Path.GetDirectoryName(image.Path))!;
            var file = Directory.GetFiles(Path.Combine(folder, "ground_truth", type), Path.GetFileNameWithoutExtension(image.Path) + "*").Order(StringComparer.Ordinal).First();
            var picture = Photographs.Read(file);
            var mask = preprocessor.ResizeMask([.. picture.Rgb.Where((_, p) => p % 3 == 0)], picture.Width, picture.Height);
            for (var p = 0; p < mask.Length; p++)
            {
                masks[(i * side * side) + p] = mask[p] > 127;
            }
        }

        return new LabelledFolder(Files(Path.Combine(folder, "train", "good")), test, [.. test.Select(image => image.IsAnomalous)], masks);
    }

    private static string[] Files(string folder) => [.. Directory.GetFiles(folder)
        .Where(path => path.EndsWith(".png", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".jpg", StringComparison.OrdinalIgnoreCase)).Order(StringComparer.Ordinal)];
}
