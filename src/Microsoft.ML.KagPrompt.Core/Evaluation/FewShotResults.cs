namespace Microsoft.ML.KagPrompt;

/// <summary>What an evaluation found: plain data, which holds no native memory.</summary>
public sealed record FewShotResults
{
    /// <summary>The run's own configuration: a cell each for data set, product, draw and number of shots, in this order.</summary>
    public required IReadOnlyList<FewShotCell> Cells { get; init; }

    /// <summary>Ablations, averaged over products; empty where none was asked for.</summary>
    public required IReadOnlyList<AblationSummary> Ablations { get; init; }

    /// <summary>
    /// What a reader of the figures must know, in words: scored images that are also fitted on, images without masks.
    /// Cells that an earlier run computed warn no more.
    /// </summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    /// <summary>Mean ± deviation over the draws: of each product, data set and all together.</summary>
    public IReadOnlyList<FewShotSummary> Summaries => FewShotSummary.Summarize(Cells);
}
