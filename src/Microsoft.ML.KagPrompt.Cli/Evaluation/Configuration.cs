using System.Globalization;
using Microsoft.ML.KagPrompt.Model;

namespace Microsoft.ML.KagPrompt.Cli.Evaluation;

/// <summary>What an ablation changes. Only another number of graph iterations needs another training.</summary>
internal sealed record Configuration(int Iterations, ScoreFusion Fusion)
{
    public static Configuration Of(KagPromptOptions options) => new(options.Prompt.Iterations, options.Fusion);

    /// <summary>What sets it apart from the run's own, for the names of cells; empty: nothing.</summary>
    public string Differences(Configuration own) => string.Join(' ', new[]
    {
        Iterations == own.Iterations ? "" : $"T{Iterations}",
        Fusion.Branches == own.Fusion.Branches ? "" : $"{Fusion.Branches}",
        Fusion.Gamma == own.Fusion.Gamma ? "" : string.Create(CultureInfo.InvariantCulture, $"gamma{Fusion.Gamma}"),
        Fusion.TopK == own.Fusion.TopK ? "" : $"k{Fusion.TopK}",
    }.Where(difference => difference.Length > 0));
}
