using System.Diagnostics;
using Microsoft.ML.KagPrompt.Cli.Scoring;
using Microsoft.ML.KagPrompt.Datasets;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Cli.Evaluation;

/// <summary>Computes every cell: data set × product × shots × draw × configuration. A prompt is trained once for all the cells that can share it.</summary>
internal sealed class EvaluationRunner(EvaluationSettings settings, CellStore store, Action<string> tell, CancellationToken cancellation) : IDisposable
{
    private readonly MLContext ml = new(seed: 1);
    private readonly Dictionary<Configuration, List<CellResult>> results = settings.Configurations.ToDictionary(configuration => configuration, _ => new List<CellResult>());
    private readonly DatasetImage[] elsewhere = settings.TrainOn is null ? [] : [.. List(settings.TrainOn, settings.Layout).Where(image => image is { Split: DatasetSplit.Train, IsAnomalous: false })];
    private KagPromptTransformer? shared;

    /// <summary>The cells of every configuration.</summary>
    public IReadOnlyDictionary<Configuration, IReadOnlyList<CellResult>> Run()
    {
        foreach (var path in settings.Data)
        {
            EvaluationData.Check(path, List(path, settings.Layout), tell, cancellation);
        }

        // One number of graph iterations after the other, the run's own first: no more than one trained prompt is held.
        foreach (var group in settings.Configurations.GroupBy(configuration => configuration.Iterations))
        {
            foreach (var path in settings.Data)
            {
                var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));
                foreach (var product in List(path, settings.Layout).GroupBy(image => image.ClassName))
                {
                    for (var seed = 0; seed < settings.Seeds; seed++)
                    {
                        Draw(name, product.Key, [.. product], seed, [.. group]);
                    }
                }
            }

            shared?.Dispose();
            shared = null;
        }

        return results.ToDictionary(entry => entry.Key, entry => (IReadOnlyList<CellResult>)entry.Value);
    }

    public void Dispose() => shared?.Dispose();

    private static IReadOnlyList<DatasetImage> List(string path, DatasetLayout layout) => AnomalyDataset.List(path, layout, mask => DefectMask.Read(mask).ShowsDefect);

    /// <summary>All numbers of shots of one draw; smaller ones are the beginning of larger ones. The configurations share their number of iterations.</summary>
    private void Draw(string dataset, string product, DatasetImage[] images, int seed, Configuration[] configurations)
    {
        var normal = images.Where(image => image is { Split: DatasetSplit.Train, IsAnomalous: false }).ToArray();
        var test = images.Where(image => image is { Split: DatasetSplit.Test, IsAnomalous: not null }).ToArray();
        if (normal.Length < settings.Shots.Max() || test.Length == 0)
        {
            throw new InsufficientDataException($"'{dataset}', product '{product}': expected at least {settings.Shots.Max()} normal images to draw from and one labelled image to score, got {normal.Length} and {test.Length}.");
        }

        var order = Enumerable.Range(0, normal.Length).ToArray();
        new Random(seed).Shuffle(order);
        var scorer = new CellScorer(ml, test, tell, cancellation);
        var (stamp, trainedOn) = (FileStamps.Of(images), settings.TrainOn is null ? null : FileStamps.Of(elsewhere));
        var fingerprints = configurations.ToDictionary(configuration => configuration, configuration => settings.Fingerprint(stamp, trainedOn, configuration));
        KagPromptTransformer? own = null;
        try
        {
            foreach (var shots in settings.Shots)
            {
                cancellation.ThrowIfCancellationRequested();
                var cell = new CellResult { Dataset = dataset, Class = product, Shots = shots, Seed = seed };
                var known = configurations.ToDictionary(configuration => configuration, configuration => store.Find(dataset, product, shots, seed, configuration.Differences(settings.Own), fingerprints[configuration]));
                if (known.Values.Contains(null))
                {
                    var watch = Stopwatch.StartNew();
                    using var model = Model(normal, [.. order.Take(shots).Select(i => normal[i])], seed, configurations[0].Iterations, ref own);
                    Compute(model, scorer, cell, fingerprints, known, watch);
                }

                foreach (var (configuration, result) in known)
                {
                    results[configuration].Add(result!);
                }
            }
        }
        finally
        {
            own?.Dispose();
        }
    }

    /// <summary>Fills in the configurations that are not known.</summary>
    private void Compute(KagPromptTransformer model, CellScorer scorer, CellResult cell, Dictionary<Configuration, string> fingerprints, Dictionary<Configuration, CellResult?> known, Stopwatch watch)
    {
        var which = FormattableString.Invariant($"{cell.Dataset}/{cell.Class}, {cell.Shots} shot(s), draw {cell.Seed}");
        if (known.TryGetValue(settings.Own, out var done) && done is null)
        {
            var result = scorer.Score(model, cell with { SecondsFit = watch.Elapsed.TotalSeconds });
            Keep(settings.Own, result);
            tell(FormattableString.Invariant($"{which}: image AUROC {100 * result.ImageAuroc:0.0}, pixel AUROC {100 * result.PixelAuroc:0.0} ({watch.Elapsed.TotalSeconds:0.0} s)"));
        }

        var ablated = known.Where(entry => entry.Value is null).Select(entry => entry.Key).ToArray();
        if (ablated.Length > 0)
        {
            foreach (var (configuration, result) in ablated.Zip(scorer.Score(model, [.. ablated.Select(configuration => configuration.Fusion)], cell)))
            {
                Keep(configuration, result);
            }

            tell(FormattableString.Invariant($"{which}: ablations {string.Join(", ", ablated.Select(configuration => configuration.Differences(settings.Own)))} ({watch.Elapsed.TotalSeconds:0.0} s)"));
        }

        void Keep(Configuration configuration, CellResult result)
        {
            known[configuration] = result;
            store.Save(result, configuration.Differences(settings.Own), fingerprints[configuration]);
        }
    }

    /// <summary>Support images in the bank of a model whose prompt, if any, is trained at most once. The caller disposes it.</summary>
    private KagPromptTransformer Model(DatasetImage[] normal, DatasetImage[] support, int seed, int iterations, ref KagPromptTransformer? own)
    {
        var options = settings.Options with { Prompt = settings.Options.Prompt with { Iterations = iterations }, InitialModelPath = settings.Initial };
        if (settings.TrainOn is not null)
        {
            shared ??= Train(elsewhere, seed: 0, options);
        }
        else if (options.Training.Epochs > 0)
        {
            own ??= Train(normal, seed, options);
        }

        return (shared ?? own)?.WithSupport(ImageRows.Of(ml, support)) ?? Fit(support, seed, options with { Training = options.Training with { Epochs = 0 } });
    }

    private KagPromptTransformer Train(DatasetImage[] images, int seed, KagPromptOptions options)
    {
        tell($"training on {images.Length} images of {string.Join(", ", images.Select(image => image.ClassName).Distinct())}, draw {seed}{(options.Prompt.Iterations == settings.Own.Iterations ? "" : $", T = {options.Prompt.Iterations}")}");
        return Fit(images, seed, options);
    }

    private KagPromptTransformer Fit(DatasetImage[] images, int seed, KagPromptOptions options)
        => ml.Transforms.DetectAnomaliesKag(options with { Columns = options.Columns with { ClassName = nameof(AnomalyDatasetRow.ClassName) }, Seed = seed, Memory = options.Memory with { MaxSupportImages = images.Length }, Cancellation = cancellation }).Fit(ImageRows.Of(ml, images));
}
