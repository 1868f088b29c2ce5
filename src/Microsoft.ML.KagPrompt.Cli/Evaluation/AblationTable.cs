namespace Microsoft.ML.KagPrompt.Cli.Evaluation;

/// <summary>Ablations as a table: for the console and the page.</summary>
internal static class AblationTable
{
    public static IReadOnlyList<string> Header { get; } = ["ablation", "value", "data set", "shots",
        .. FewShotMetric.Ranking.Select(metric => metric.Title)];

    public static IReadOnlyList<string> Cells(AblationSummary row)
        => [row.Ablation.Name, row.Point.Label, row.Summary.Dataset, .. EvaluationTable.Cells(row.Summary, FewShotMetric.Ranking).Skip(2)];
}
