namespace Microsoft.ML.KagPrompt.Cli.Evaluation;

/// <summary>A line of the table: mean and deviation over the support draws, of one product or averaged over a data set's products.</summary>
internal sealed record SummaryRow(string Dataset, string Class, int Shots, IReadOnlyList<(double? Mean, double? Deviation)> Metrics)
{
    public const string All = "mean";

    /// <summary>A line each for product and number of shots, and for data sets of several products their mean.</summary>
    public static IReadOnlyList<SummaryRow> Of(IReadOnlyList<CellResult> results) =>
    [
        .. results.GroupBy(cell => cell.Dataset).SelectMany(dataset =>
        {
            var products = dataset.GroupBy(cell => (cell.Class, cell.Shots)).OrderBy(group => group.Key.Class, StringComparer.Ordinal).ThenBy(group => group.Key.Shots)
                .Select(group => new SummaryRow(dataset.Key, group.Key.Class, group.Key.Shots, Over(group.GroupBy(cell => cell.Seed))));
            var means = dataset.Select(cell => cell.Class).Distinct().Count() < 2 ? [] : dataset.GroupBy(cell => cell.Shots).OrderBy(group => group.Key)
                .Select(group => new SummaryRow(dataset.Key, All, group.Key, Over(group.GroupBy(cell => cell.Seed))));
            return products.Concat(means);
        }),
    ];

    /// <summary>A line each for data set and number of shots, averaged over the products.</summary>
    public static IReadOnlyList<SummaryRow> PerDataset(IReadOnlyList<CellResult> results) =>
    [
        .. results.GroupBy(cell => (cell.Dataset, cell.Shots)).OrderBy(group => group.Key.Dataset, StringComparer.Ordinal).ThenBy(group => group.Key.Shots)
            .Select(group => new SummaryRow(group.Key.Dataset, All, group.Key.Shots, Over(group.GroupBy(cell => cell.Seed)))),
    ];

    /// <summary>Each draw's mean over the products it holds, then mean and deviation over the draws.</summary>
    private static (double?, double?)[] Over(IEnumerable<IGrouping<int, CellResult>> draws)
    {
        var groups = draws.ToArray();
        return [.. EvaluationJson.Metrics.Select(metric =>
        {
            var values = groups.Select(draw => EvaluationJson.Mean(draw.Select(metric.Of))).OfType<double>().ToArray();
            return values.Length == 0 ? ((double?)null, (double?)null) : (values.Average(), values.Length < 2 ? null : Math.Sqrt(values.Sum(value => Math.Pow(value - values.Average(), 2)) / (values.Length - 1)));
        })];
    }
}
