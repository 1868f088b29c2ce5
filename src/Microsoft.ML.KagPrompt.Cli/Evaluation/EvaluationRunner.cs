using System.Diagnostics;
using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.Datasets;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Metrics;

namespace Microsoft.ML.KagPrompt.Cli.Evaluation;

/// <summary>Computes every cell: data set × product × shots × draw. A prompt is trained once for all the cells that can share it.</summary>
internal sealed class EvaluationRunner(EvaluationSettings settings, CellStore store, Action<string> tell, CancellationToken cancellation) : IDisposable
{
    private readonly MLContext ml = new(seed: 1);
    private KagPromptTransformer? shared;

    public IReadOnlyList<CellResult> Run()
    {
        var results = new List<CellResult>();
        foreach (var path in settings.Data)
        {
            var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));
            foreach (var product in List(path).GroupBy(image => image.ClassName))
            {
                for (var seed = 0; seed < settings.Seeds; seed++)
                {
                    results.AddRange(Draw(name, product.Key, [.. product], seed, settings.Fingerprint(path)));
                }
            }
        }

        return results;
    }

    public void Dispose() => shared?.Dispose();

    private IReadOnlyList<DatasetImage> List(string path) => AnomalyDataset.List(path, settings.Layout, mask => DefectMask.Read(mask).ShowsDefect);

    /// <summary>All numbers of shots of one draw; smaller ones are the beginning of larger ones.</summary>
    private IEnumerable<CellResult> Draw(string dataset, string product, DatasetImage[] images, int seed, string fingerprint)
    {
        var normal = images.Where(image => image is { Split: DatasetSplit.Train, IsAnomalous: false }).ToArray();
        var test = images.Where(image => image is { Split: DatasetSplit.Test, IsAnomalous: not null }).ToArray();
        if (normal.Length < settings.Shots.Max() || test.Length == 0)
        {
            throw new InsufficientDataException($"'{dataset}', product '{product}': expected at least {settings.Shots.Max()} normal images to draw from and one labelled image to score, got {normal.Length} and {test.Length}.");
        }

        var order = Enumerable.Range(0, normal.Length).ToArray();
        new Random(seed).Shuffle(order);
        KagPromptTransformer? own = null;
        try
        {
            foreach (var shots in settings.Shots)
            {
                cancellation.ThrowIfCancellationRequested();
                if (store.Find(dataset, product, shots, seed, fingerprint) is { } known)
                {
                    yield return known;
                    continue;
                }

                var watch = Stopwatch.StartNew();
                DatasetImage[] support = [.. order.Take(shots).Select(i => normal[i])];
                if (settings.TrainOn is not null)
                {
                    shared ??= Train([.. List(settings.TrainOn).Where(image => image is { Split: DatasetSplit.Train, IsAnomalous: false })], seed: 0);
                }
                else if (settings.Options.Epochs > 0)
                {
                    own ??= Train(normal, seed);
                }

                using var model = (shared ?? own)?.WithSupport(Rows(support)) ?? Fit(support, seed, settings.Options with { Epochs = 0, InitialModelPath = settings.Initial });
                var seconds = watch.Elapsed.TotalSeconds;
                var result = Score(model, test, new CellResult { Dataset = dataset, Class = product, Shots = shots, Seed = seed, SecondsFit = seconds });
                store.Save(result, fingerprint);
                tell(FormattableString.Invariant($"{dataset}/{product}, {shots} shot(s), draw {seed}: image AUROC {100 * result.ImageAuroc:0.0}, pixel AUROC {100 * result.PixelAuroc:0.0} ({watch.Elapsed.TotalSeconds:0.0} s)"));
                yield return result;
            }
        }
        finally
        {
            own?.Dispose();
        }
    }

    private KagPromptTransformer Train(DatasetImage[] images, int seed)
    {
        tell($"training on {images.Length} images of {string.Join(", ", images.Select(image => image.ClassName).Distinct())}, draw {seed}");
        return Fit(images, seed, settings.Options with { InitialModelPath = settings.Initial });
    }

    private KagPromptTransformer Fit(DatasetImage[] images, int seed, KagPromptOptions options)
        => ml.Transforms.DetectAnomaliesKag(options with { ClassNameColumnName = nameof(Row.ClassName), Seed = seed, MaxSupportImages = images.Length, Cancellation = cancellation }).Fit(Rows(images));

    private CellResult Score(KagPromptTransformer model, DatasetImage[] test, CellResult cell)
    {
        var scored = model.Transform(Rows(test));
        var (scores, maps, labels) = (new List<float>(), new MapStatistics(), test.Select(image => image.IsAnomalous).ToArray());
        var watch = new Stopwatch();
        using var cursor = scored.GetRowCursor([scored.Schema[model.Options.ScoreColumnName], scored.Schema[model.Options.AnomalyMapColumnName]]);
        var (readScore, readMap) = (cursor.GetGetter<float>(scored.Schema[model.Options.ScoreColumnName]), cursor.GetGetter<VBuffer<float>>(scored.Schema[model.Options.AnomalyMapColumnName]));
        var (score, map, side) = (0f, default(VBuffer<float>), model.Model.MapSize);
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
            var mask = test[i].MaskPath is { } path ? DefectMask.Read(path).At(side, model.Options.ResizeMode) : [];
            maps.Add([.. map.DenseValues()], mask, side, side, test[i].IsAnomalous == true);
        }

        watch.Stop();
        var (image, pixel) = (ImageMetrics.Of(scores, labels), maps.Compute());
        foreach (var warning in image.Warnings.Concat(pixel.Warnings))
        {
            tell($"{cell.Dataset}/{cell.Class}: {warning}");
        }

        return cell with
        {
            ImageAuroc = Known(image.Auroc.Value),
            ImageAp = Known(image.AveragePrecision.Value),
            ImageF1Max = Known(image.F1Max.Value),
            PixelAuroc = Known(pixel.Auroc.Value),
            PixelAp = Known(pixel.AveragePrecision.Value),
            Aupro = Known(pixel.Aupro30.Value),
            AuproStepped = Known(pixel.AuproStepped),
            SecondsPerImage = watch.Elapsed.TotalSeconds / test.Length,
        };
    }

    private static double? Known(double value) => double.IsNaN(value) ? null : value;

    /// <summary>Images as rows; they are decoded when they are read.</summary>
    private IDataView Rows(IEnumerable<DatasetImage> images)
    {
        var rows = ml.Data.LoadFromEnumerable(images.Select(image => new Row { ImagePath = Path.GetFullPath(image.Path), ClassName = image.ClassName }).ToArray());
        return ml.Transforms.LoadImages("Image", "", nameof(Row.ImagePath)).Fit(rows).Transform(rows);
    }

    private sealed class Row
    {
        public string ImagePath { get; set; } = "";

        public string ClassName { get; set; } = "";
    }
}
