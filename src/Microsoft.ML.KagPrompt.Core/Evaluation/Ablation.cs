namespace Microsoft.ML.KagPrompt;

/// <summary>One choice of the method, varied with all else equal: what the paper's Table 2 and Figures 3, 5 and 6 do.</summary>
/// <param name="Name">What it is called in results: "T", "k", "gamma", "modules", or a name of your own.</param>
/// <param name="Title">What is varied, in words.</param>
/// <param name="Points">The values.</param>
public sealed record Ablation(string Name, string Title, IReadOnlyList<AblationPoint> Points);

/// <summary>A value of an ablation.</summary>
/// <param name="Label">The value, or which modules are on.</param>
/// <param name="Value">Where it lies on a plot's axis; null: it is not a number.</param>
/// <param name="Configuration">What is evaluated.</param>
public sealed record AblationPoint(string Label, double? Value, FewShotConfiguration Configuration);

/// <summary>An ablation's figures at one value and number of shots, on one data set (averaged over its products) or on all.</summary>
/// <param name="Ablation">What is varied.</param>
/// <param name="Point">The value.</param>
/// <param name="Summary">Means and deviations over the draws.</param>
public sealed record AblationSummary(Ablation Ablation, AblationPoint Point, FewShotSummary Summary)
{
    /// <summary>One each for value, data set and number of shots; the mean of several data sets comes last.</summary>
    internal static IReadOnlyList<AblationSummary> Summarize(
        IEnumerable<Ablation> ablations, IReadOnlyDictionary<FewShotConfiguration, IReadOnlyList<FewShotCell>> cells) =>
    [
        .. ablations.SelectMany(ablation => ablation.Points
            .SelectMany(point => FewShotSummary.PerDataset(cells[point.Configuration])
                .Select(summary => new AblationSummary(ablation, point, summary)))
            .OrderBy(row => row.Summary.Dataset == FewShotSummary.AllSets)
            .ThenBy(row => row.Summary.Dataset, StringComparer.Ordinal)
            .ThenBy(row => row.Summary.Shots)),
    ];
}
