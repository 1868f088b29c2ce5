namespace Microsoft.ML.KagPrompt.Cli.Evaluation;

/// <summary>A line of the table: mean and deviation over the support draws, of one product or averaged over a data set's products.</summary>
internal sealed record SummaryRow(string Dataset, string Class, int Shots, IReadOnlyList<(double? Mean, double? Deviation)> Metrics)
{
    public const string All = "mean";

    /// <summary>Stands for the data sets together.</summary>
    public const string AllSets = "all data sets";

    /// <summary>A line each for product and number of shots; for data sets of several products their mean; and where there are several data sets, the mean of those.</summary>
    public static IReadOnlyList<SummaryRow> Of(IReadOnlyList<CellResult> results) =>
    [
        .. results.GroupBy(cell => cell.Dataset).SelectMany(dataset =>
        {
            var products = dataset.GroupBy(cell => (cell.Class, cell.Shots)).OrderBy(group => group.Key.Class, StringComparer.Ordinal).ThenBy(group => group.Key.Shots)
                .Select(group => new SummaryRow(dataset.Key, group.Key.Class, group.Key.Shots, Over(group)));
            return products.Concat(dataset.Select(cell => cell.Class).Distinct().Count() < 2 ? [] : PerShots(dataset.Key, dataset));
        }),
        .. OverSets(results),
    ];

    /// <summary>A line each for data set and number of shots, averaged over the products; and where there are several data sets, their mean.</summary>
    public static IReadOnlyList<SummaryRow> PerDataset(IReadOnlyList<CellResult> results) =>
    [
        .. results.GroupBy(cell => cell.Dataset).OrderBy(dataset => dataset.Key, StringComparer.Ordinal).SelectMany(dataset => PerShots(dataset.Key, dataset)),
        .. OverSets(results),
    ];

    private static IEnumerable<SummaryRow> OverSets(IReadOnlyList<CellResult> results) => results.Select(cell => cell.Dataset).Distinct().Count() < 2 ? [] : PerShots(AllSets, results);

    private static IEnumerable<SummaryRow> PerShots(string name, IEnumerable<CellResult> cells) => cells.GroupBy(cell => cell.Shots).OrderBy(group => group.Key).Select(group => new SummaryRow(name, All, group.Key, Over(group)));

    /// <summary>Each draw's mean over the data sets, of their means over their products; then mean and deviation over the draws.</summary>
    private static (double?, double?)[] Over(IEnumerable<CellResult> cells)
    {
        var draws = cells.GroupBy(cell => cell.Seed).ToArray();
        return [.. EvaluationJson.Metrics.Select(metric =>
        {
            var values = draws.Select(draw => EvaluationJson.Mean(draw.GroupBy(cell => cell.Dataset).Select(dataset => EvaluationJson.Mean(dataset.Select(metric.Of))))).OfType<double>().ToArray();
            return values.Length == 0 ? ((double?)null, (double?)null) : (values.Average(), values.Length < 2 ? null : Math.Sqrt(values.Sum(value => Math.Pow(value - values.Average(), 2)) / (values.Length - 1)));
        })];
    }
}
