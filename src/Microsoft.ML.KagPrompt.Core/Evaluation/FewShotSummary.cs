namespace Microsoft.ML.KagPrompt;

/// <summary>A figure over the draws.</summary>
/// <param name="Mean">Its mean; null where it cannot be told.</param>
/// <param name="Deviation">Its standard deviation (n − 1); null of fewer than two draws.</param>
public readonly record struct FewShotFigure(double? Mean, double? Deviation);

/// <summary>
/// A line of a table: mean and deviation over the draws, of one product, or averaged over a data set's products, or over data sets.
/// </summary>
/// <param name="Dataset">The data set's name, or <see cref="AllSets"/>.</param>
/// <param name="Class">The product, or <see cref="AllClasses"/>.</param>
/// <param name="Shots">Number of support images.</param>
/// <param name="Figures">By the names of <see cref="FewShotMetric.All"/>.</param>
public sealed record FewShotSummary(string Dataset, string Class, int Shots, IReadOnlyDictionary<string, FewShotFigure> Figures)
{
    /// <summary>Stands for a data set's products together.</summary>
    public const string AllClasses = "mean";

    /// <summary>Stands for the data sets together.</summary>
    public const string AllSets = "all data sets";

    /// <summary>
    /// One each for product and number of shots; for data sets of several products their mean;
    /// and where there are several data sets, the mean of those.
    /// </summary>
    public static IReadOnlyList<FewShotSummary> Summarize(IReadOnlyList<FewShotCell> cells)
    {
        ArgumentNullException.ThrowIfNull(cells);
        return
        [
            .. cells.GroupBy(cell => cell.Dataset).SelectMany(dataset =>
            {
                var products = dataset.GroupBy(cell => (cell.Class, cell.Shots))
                    .OrderBy(group => group.Key.Class, StringComparer.Ordinal)
                    .ThenBy(group => group.Key.Shots)
                    .Select(group => new FewShotSummary(dataset.Key, group.Key.Class, group.Key.Shots, Over(group)));
                return products.Concat(dataset.Select(cell => cell.Class).Distinct().Count() < 2 ? [] : PerShots(dataset.Key, dataset));
            }),
            .. OverSets(cells),
        ];
    }

    /// <summary>
    /// One each for data set and number of shots, averaged over the products; and where there are several data sets, their mean.
    /// </summary>
    public static IReadOnlyList<FewShotSummary> PerDataset(IReadOnlyList<FewShotCell> cells)
    {
        ArgumentNullException.ThrowIfNull(cells);
        return
        [
            .. cells.GroupBy(cell => cell.Dataset)
                .OrderBy(dataset => dataset.Key, StringComparer.Ordinal)
                .SelectMany(dataset => PerShots(dataset.Key, dataset)),
            .. OverSets(cells),
        ];
    }

    private static IEnumerable<FewShotSummary> OverSets(IReadOnlyList<FewShotCell> cells)
        => cells.Select(cell => cell.Dataset).Distinct().Count() < 2 ? [] : PerShots(AllSets, cells);

    private static IEnumerable<FewShotSummary> PerShots(string name, IEnumerable<FewShotCell> cells)
        => cells.GroupBy(cell => cell.Shots)
            .OrderBy(group => group.Key)
            .Select(group => new FewShotSummary(name, AllClasses, group.Key, Over(group)));

    /// <summary>Each draw's mean over the data sets, of their means over their products; then mean and deviation over the draws.</summary>
    private static IReadOnlyDictionary<string, FewShotFigure> Over(IEnumerable<FewShotCell> cells)
    {
        var draws = cells.GroupBy(cell => cell.Seed).ToArray();
        return FewShotMetric.All.ToDictionary(metric => metric.Name, metric =>
        {
            var values = draws
                .Select(draw => FewShotMetric.Mean(draw.GroupBy(cell => cell.Dataset)
                    .Select(dataset => FewShotMetric.Mean(dataset.Select(metric.Value)))))
                .OfType<double>()
                .ToArray();
            return values.Length == 0 ? default : new FewShotFigure(values.Average(),
                values.Length < 2 ? null : Math.Sqrt(values.Sum(value => Math.Pow(value - values.Average(), 2)) / (values.Length - 1)));
        }).AsReadOnly();
    }
}
