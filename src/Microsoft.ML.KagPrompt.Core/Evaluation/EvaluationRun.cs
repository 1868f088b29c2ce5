using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.KagPrompt.Fitting;

namespace Microsoft.ML.KagPrompt.Evaluation;

/// <summary>Computes every cell: data set × product × draw × shots × configuration, those of an earlier run left out.</summary>
internal sealed class EvaluationRun : IDisposable
{
    private readonly IReadOnlyList<FewShotDataset> datasets;
    private readonly FewShotProtocol protocol;
    private readonly IEvaluationImages images;
    private readonly IProgress<FewShotProgress>? progress;
    private readonly CancellationToken cancellation;
    private readonly FewShotConfiguration own;
    private readonly string method;
    private readonly Dictionary<FewShotConfiguration, List<FewShotCell>> cells;
    private readonly IReadOnlyList<Product> products;
    private readonly int[] shots;
    private readonly CellStore store;
    private readonly CellModels models;
    private readonly EvaluationSharing sharing;
    private readonly Lazy<CellSettings> settings;
    private readonly Dictionary<Product, string> stamps = [];
    private readonly List<string> warnings = [];

    public EvaluationRun(
        IReadOnlyList<FewShotDataset> datasets, InspectionOptions options, FewShotProtocol protocol, IEvaluationImages images,
        KagPromptModel? initial, EvaluationSharing sharing, IProgress<FewShotProgress>? progress, CancellationToken cancellation)
    {
        (this.datasets, this.protocol, this.images, this.sharing, this.progress, this.cancellation)
            = (datasets, protocol, images, sharing, progress, cancellation);
        (own, method) = (FewShotConfiguration.From(options), InspectionMethods.NameOf(options.Method));
        cells = protocol.Configurations(own).ToDictionary(configuration => configuration, _ => new List<FewShotCell>());
        shots = [.. protocol.Shots.Distinct().Order()];
        products = Product.FromDatasets(datasets, shots[^1], protocol.SupportDraw);
        store = new CellStore(protocol.CellFolder);
        models = new CellModels(options, protocol, images, initial, sharing.Fits, message => Tell(message), cancellation);
        settings = new(() => new CellSettings(options, protocol, initial));
        var elsewhere = protocol.TrainOn?.Images.Select(image => image.ClassName) ?? [];
        ClassRegions.RequireKnown(
            options.Regions.Keys, [.. products.Select(product => product.ClassName).Concat(elsewhere).Distinct()]);
    }

    /// <summary>Cells that are there.</summary>
    public int Done { get; private set; }

    /// <summary>Cells in all.</summary>
    public int Total => cells.Count * products.Count * protocol.Draws * shots.Length;

    /// <summary>What was computed. All is, once <see cref="ByProduct"/> was enumerated.</summary>
    public FewShotResults Results => new()
    {
        Cells = cells[own].AsReadOnly(),
        Ablations = AblationSummary.Summarize(
            protocol.Ablations, cells.ToDictionary(entry => entry.Key, entry => (IReadOnlyList<FewShotCell>)entry.Value)),
        Warnings = [.. warnings.Distinct()],
    };

    /// <summary>Computes all cells; comes back after each product, while the next is not begun.</summary>
    public IEnumerable<Product> ByProduct()
    {
        // One number of graph iterations after the other, the run's own first: no more than one trained prompt is held.
        foreach (var group in cells.Keys.GroupBy(configuration => configuration.Iterations).ToArray())
        {
            foreach (var product in products)
            {
                for (var seed = 0; seed < protocol.Draws; seed++)
                {
                    Draw(product, seed, [.. group]);
                    models.EndDraw();
                }

                yield return product;
            }

            models.Dispose();
        }
    }

    public void Dispose() => models.Dispose();

    /// <summary>Looks at all images that will be used.</summary>
    /// <param name="isFirst">Whether no other run of the same data sets has looked at them.</param>
    public void Check(bool isFirst)
    {
        foreach (var dataset in isFirst ? datasets : [])
        {
            if (IdenticalFiles.Warning(dataset.Images, dataset.Folder ?? Path.GetFullPath(".")) is { } shared)
            {
                Warn($"{dataset.Name}: {shared}");
            }

            DatasetCheck.Run(dataset, dataset.Images, images, cancellation);
        }

        if (protocol.TrainOn is { } elsewhere)
        {
            DatasetCheck.Run(elsewhere, Product.NormalOf(elsewhere.Images), images, cancellation);
        }
    }

    /// <summary>All numbers of shots of one draw. The configurations share their number of iterations.</summary>
    private void Draw(Product product, int seed, FewShotConfiguration[] configurations)
    {
        var order = product.Draw(seed, protocol.SupportDraw);
        var scorer = new CellScorer(sharing.TestOf(product), () => sharing.TimeSaved, Warn, cancellation);
        foreach (var count in shots)
        {
            cancellation.ThrowIfCancellationRequested();
            var cell = new FewShotCell
            {
                Method = method,
                Dataset = product.Dataset,
                Class = product.ClassName,
                Shots = count,
                Seed = seed,
            };
            var known = configurations.ToDictionary(
                configuration => configuration,
                configuration => store.Find(cell, VariantOf(configuration), SettingsOf(product, configuration)));
            Done += known.Values.Count(result => result is not null);
            if (known.Values.Contains(null))
            {
                var watch = Stopwatch.StartNew();
                var saved = sharing.TimeSaved;
                using var model = models.For(product, order[..count], seed, configurations[0].Iterations);
                var fit = watch.Elapsed + sharing.TimeSaved - saved;
                Compute(model, scorer, product, cell with { SecondsFit = fit.TotalSeconds }, known, watch);
            }

            foreach (var (configuration, result) in known)
            {
                cells[configuration].Add(result!);
            }
        }
    }

    /// <summary>Fills in the configurations that are not known.</summary>
    private void Compute(
        KagPromptModel model, CellScorer scorer, Product product, FewShotCell cell,
        Dictionary<FewShotConfiguration, FewShotCell?> known, Stopwatch watch)
    {
        var which = (method == KagOptions.MethodName ? "" : $"{method}, ")
            + FormattableString.Invariant($"{cell.Dataset}/{cell.Class}, {cell.Shots} shot(s), draw {cell.Seed}");
        if (known.TryGetValue(own, out var earlier) && earlier is null)
        {
            var result = scorer.Score(model, cell);
            Keep(own, result);
            var figures = $"image AUROC {Percent(result.ImageAuroc)}, pixel AUROC {Percent(result.PixelAuroc)}";
            Tell(FormattableString.Invariant($"{which}: {figures} ({watch.Elapsed.TotalSeconds:0.0} s)"), result);
        }

        var ablated = known.Where(entry => entry.Value is null).Select(entry => entry.Key).ToArray();
        if (ablated.Length > 0)
        {
            var results = scorer.Score(model, [.. ablated.Select(configuration => configuration.Fusion)], cell);
            foreach (var (configuration, result) in ablated.Zip(results))
            {
                Keep(configuration, result);
            }

            var changes = string.Join(", ", ablated.Select(configuration => configuration.Differences(own)));
            Tell(FormattableString.Invariant($"{which}: ablations {changes} ({watch.Elapsed.TotalSeconds:0.0} s)"));
        }

        void Keep(FewShotConfiguration configuration, FewShotCell result)
        {
            known[configuration] = result;
            store.Save(result, VariantOf(configuration), SettingsOf(product, configuration));
            Done++;
        }
    }

    /// <summary>What tells a cell's file from others of the same product, draw and shots: KAG-prompt's own has nothing.</summary>
    private string VariantOf(FewShotConfiguration configuration)
        => method == KagOptions.MethodName ? configuration.Differences(own) : method;

    /// <summary>Nothing is stamped or hashed where no cells are kept.</summary>
    private string SettingsOf(Product product, FewShotConfiguration configuration)
    {
        if (protocol.CellFolder is null)
        {
            return "";
        }

        if (!stamps.TryGetValue(product, out var stamp))
        {
            stamps.Add(product, stamp = FileStamps.Compute(product.All));
        }

        return settings.Value.For(stamp, configuration);
    }

    /// <summary>A dash where there is no figure, as in the tables.</summary>
    private static string Percent(double? share) => share is { } known ? (100 * known).ToString("0.0", CultureInfo.InvariantCulture) : "–";

    private void Warn(string message)
    {
        warnings.Add(message);
        Tell(message);
    }

    private void Tell(string message, FewShotCell? cell = null) => progress?.Report(new(message, Done, Total) { Cell = cell });
}
