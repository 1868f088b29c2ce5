using System.Diagnostics;
using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.Cli.Scoring;
using Microsoft.ML.KagPrompt.Datasets;
using Microsoft.ML.KagPrompt.Metrics;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Cli.Evaluation;

/// <summary>Scores a product's test images and computes their metrics. Images are decoded one batch at a time.</summary>
internal sealed class CellScorer(MLContext ml, DatasetImage[] test, Action<string> tell, CancellationToken cancellation)
{
    private const int Batch = 8;

    private readonly bool?[] labels = [.. test.Select(image => image.IsAnomalous)];

    /// <summary>As users score: through the transformer, timed.</summary>
    public CellResult Score(KagPromptTransformer model, CellResult cell)
    {
        var scored = model.Transform(ImageRows.Of(ml, test));
        var (scores, maps, watch) = (new List<float>(), new MapStatistics(), new Stopwatch());
        using var cursor = scored.GetRowCursor([scored.Schema[model.Options.Columns.Score], scored.Schema[model.Options.Columns.AnomalyMap]]);
        var (readScore, readMap) = (cursor.GetGetter<float>(scored.Schema[model.Options.Columns.Score]), cursor.GetGetter<VBuffer<float>>(scored.Schema[model.Options.Columns.AnomalyMap]));
        var (score, map) = (0f, default(VBuffer<float>));
        for (var i = 0; ; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            watch.Start();
            if (!cursor.MoveNext())
            {
                break;
            }

            readScore(ref score);
            readMap(ref map);
            watch.Stop();
            scores.Add(score);
            maps.Add([.. map.DenseValues()], Mask(model, i), model.Model.MapSize, model.Model.MapSize, test[i].IsAnomalous == true);
        }

        watch.Stop();
        var pixel = maps.Compute();
        foreach (var warning in ImageMetrics.Of(scores, labels).Warnings.Concat(pixel.Warnings))
        {
            tell($"{cell.Dataset}/{cell.Class}: {warning}");
        }

        return Figures(cell, scores, pixel) with { SecondsPerImage = watch.Elapsed.TotalSeconds / test.Length };
    }

    /// <summary>For several ways to put the branches together; the networks run once an image.</summary>
    public IReadOnlyList<CellResult> Score(KagPromptTransformer model, IReadOnlyList<ScoreFusion> fusions, CellResult cell)
    {
        // k does not touch the maps: ways that differ in it alone share their pixels' metrics.
        var kinds = fusions.Select(fusion => fusion with { TopK = 1 }).ToArray();
        var first = kinds.Select(kind => Array.IndexOf(kinds, kind)).ToArray();
        var scores = fusions.Select(_ => new List<float>()).ToArray();
        var maps = fusions.Select(_ => new MapStatistics()).ToArray();
        var side = model.Model.MapSize;
        foreach (var batch in Enumerable.Range(0, test.Length).Chunk(Batch))
        {
            cancellation.ThrowIfCancellationRequested();
            var results = model.Model.InspectFusions([.. batch.Select(i => ImageCodec.Read(test[i].Path, model.Options.Images.MaxPixels, model.Options.Images.Orientation))], [.. batch.Select(i => test[i].ClassName)], fusions);
            foreach (var (i, result) in batch.Zip(results))
            {
                var mask = Mask(model, i);
                for (var way = 0; way < fusions.Count; way++)
                {
                    scores[way].Add(result[way].Score);
                    if (first[way] == way)
                    {
                        maps[way].Add(result[way].Map, mask, side, side, test[i].IsAnomalous == true);
                    }
                }
            }
        }

        var pixels = maps.Select((map, way) => first[way] == way ? map.Compute() : null).ToArray();
        return [.. fusions.Select((_, way) => Figures(cell, scores[way], pixels[first[way]]!))];
    }

    private bool[] Mask(KagPromptTransformer model, int i) => test[i].MaskPath is { } path ? DefectMask.Read(path).At(model.Model.MapSize, model.Options.Images.ResizeMode) : [];

    private CellResult Figures(CellResult cell, List<float> scores, PixelMetrics pixel)
    {
        var image = ImageMetrics.Of(scores, labels);
        return cell with
        {
            ImageAuroc = Known(image.Auroc.Value),
            ImageAp = Known(image.AveragePrecision.Value),
            ImageF1Max = Known(image.F1Max.Value),
            PixelAuroc = Known(pixel.Auroc.Value),
            PixelAp = Known(pixel.AveragePrecision.Value),
            Aupro = Known(pixel.Aupro30.Value),
            AuproStepped = Known(pixel.AuproStepped),
        };
    }

    private static double? Known(double value) => double.IsNaN(value) ? null : value;
}
