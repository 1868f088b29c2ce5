namespace Microsoft.ML.KagPrompt.Cli.Evaluation;

/// <summary>One choice of the method, varied: what the paper's Table 2 and Figures 3, 5 and 6 do.</summary>
/// <param name="Name">T, k, gamma or modules.</param>
/// <param name="Title">What is varied, in words.</param>
/// <param name="Points">The values.</param>
internal sealed record Ablation(string Name, string Title, IReadOnlyList<AblationPoint> Points);

/// <summary>A value of an ablation.</summary>
/// <param name="Label">The value, or which modules are on.</param>
/// <param name="Value">Where it lies on a plot's axis; null: not a number.</param>
/// <param name="Configuration">What is evaluated.</param>
internal sealed record AblationPoint(string Label, double? Value, Configuration Configuration);

/// <summary>An ablation's figures at one value, on one data set, averaged over its products, or on all of them: mean and deviation over the draws.</summary>
internal sealed record AblationRow(Ablation Ablation, AblationPoint Point, SummaryRow Summary)
{
    /// <summary>A line each for value, data set and number of shots; the mean of several data sets comes last.</summary>
    public static IReadOnlyList<AblationRow> Of(IEnumerable<Ablation> ablations, IReadOnlyDictionary<Configuration, IReadOnlyList<CellResult>> results) =>
    [
        .. ablations.SelectMany(ablation => ablation.Points
            .SelectMany(point => SummaryRow.PerDataset(results[point.Configuration]).Select(summary => new AblationRow(ablation, point, summary)))
            .OrderBy(row => row.Summary.Dataset == SummaryRow.AllSets).ThenBy(row => row.Summary.Dataset, StringComparer.Ordinal).ThenBy(row => row.Summary.Shots)),
    ];
}
