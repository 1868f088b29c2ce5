using System.Diagnostics;
using Microsoft.ML.KagPrompt.Model;

namespace Microsoft.ML.KagPrompt.Evaluation;

/// <summary>
/// Scores a product's test images and computes their metrics. Images are read and brought to the model's size one by one:
/// of large ones, one alone is held. Seconds are those of a user, who has nothing from before.
/// </summary>
/// <param name="test">The test images.</param>
/// <param name="timeSaved">How long what was done before, and not again, took so far; null: all is done here.</param>
/// <param name="warn">Told what of the metrics is not to be had.</param>
/// <param name="cancellation">Stops between batches.</param>
internal sealed class CellScorer(ScoredImages test, Func<TimeSpan>? timeSaved, Action<string> warn, CancellationToken cancellation)
{
    private const int Batch = 8;

    private readonly bool?[] labels = [.. test.All.Select(image => image.IsAnomalous)];

    /// <summary>As users score, with decisions, timed.</summary>
    public FewShotCell Score(KagPromptModel model, FewShotCell cell)
    {
        var (decisions, maps, watch) = (new List<Decision>(), new MapStatistics(), new Stopwatch());
        var before = Saved;
        foreach (var batch in Batches)
        {
            cancellation.ThrowIfCancellationRequested();
            watch.Start();
            var results = model.Inspect(Read(model, batch), [.. batch.Select(image => test.All[image].ClassName)]);
            watch.Stop();
            foreach (var (image, result) in batch.Zip(results))
            {
                decisions.Add(Decision.From(result, labels[image] == true));
                maps.Add(result.Map, test.Mask(model, image), result.Width, result.Height, labels[image] == true);
            }
        }

        var (metrics, pixels) = (ImageMetrics.Compute([.. decisions.Select(decision => decision.Score)], labels), maps.Compute());
        foreach (var warning in metrics.Warnings.Concat(pixels.Warnings))
        {
            warn($"{cell.Dataset}/{cell.Class}: {warning}");
        }

        var figures = DecisionFigures.With(Figures(cell, metrics, pixels), decisions);
        return figures with { SecondsPerImage = (watch.Elapsed + Saved - before).TotalSeconds / test.All.Count };
    }

    /// <summary>
    /// For several ways to put the branches together; the networks run once an image. There are no decisions:
    /// the threshold belongs to the model's own way.
    /// </summary>
    public IReadOnlyList<FewShotCell> Score(KagPromptModel model, IReadOnlyList<ScoreFusion> fusions, FewShotCell cell)
    {
        // k and contrast do not touch the maps: ways that differ in them alone share their pixels' metrics.
        var kinds = fusions.Select(fusion => fusion with { TopK = 1, LocalContrast = 0 }).ToArray();
        var first = kinds.Select(kind => Array.IndexOf(kinds, kind)).ToArray();
        var scores = fusions.Select(_ => new List<float>()).ToArray();
        var maps = fusions.Select(_ => new MapStatistics()).ToArray();
        foreach (var batch in Batches)
        {
            cancellation.ThrowIfCancellationRequested();
            var results = model.InspectFusions(Read(model, batch), [.. batch.Select(image => test.All[image].ClassName)], fusions);
            foreach (var (image, result) in batch.Zip(results))
            {
                var mask = test.Mask(model, image);
                for (var way = 0; way < fusions.Count; way++)
                {
                    scores[way].Add(result[way].Score);
                    if (first[way] == way)
                    {
                        maps[way].Add(result[way].Map, mask, model.MapSize, model.MapSize, labels[image] == true);
                    }
                }
            }
        }

        var pixels = maps.Select((map, way) => first[way] == way ? map.Compute() : null).ToArray();
        return [.. fusions.Select((_, way) => Figures(cell, ImageMetrics.Compute(scores[way], labels), pixels[first[way]]!))];
    }

    private IEnumerable<int[]> Batches => Enumerable.Range(0, test.All.Count).Chunk(Batch);

    private TimeSpan Saved => timeSaved?.Invoke() ?? TimeSpan.Zero;

    private PixelBuffer[] Read(KagPromptModel model, int[] batch) => [.. batch.Select(image => test.Square(model, image))];

    private static FewShotCell Figures(FewShotCell cell, ImageMetrics image, PixelMetrics pixel) => cell with
    {
        ImageAuroc = Known(image.Auroc.Value),
        ImageAp = Known(image.AveragePrecision.Value),
        ImageF1Max = Known(image.F1Max.Value),
        PixelAuroc = Known(pixel.Auroc.Value),
        PixelAp = Known(pixel.AveragePrecision.Value),
        Aupro = Known(pixel.Aupro30.Value),
        AuproStepped = Known(pixel.AuproStepped),
    };

    private static double? Known(double value) => double.IsNaN(value) ? null : value;
}
