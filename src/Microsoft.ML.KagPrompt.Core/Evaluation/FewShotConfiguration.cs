using System.Globalization;

namespace Microsoft.ML.KagPrompt;

/// <summary>What an ablation changes of KAG-prompt. Only another number of graph iterations needs another training.</summary>
/// <remarks>Immutable, compared by value.</remarks>
/// <param name="Iterations">Rounds T of message passing, as <see cref="PromptOptions.Iterations"/>.</param>
/// <param name="Fusion">How the branches are put together.</param>
public sealed record FewShotConfiguration(int Iterations, ScoreFusion Fusion)
{
    /// <summary>That of the options; of another method than KAG-prompt, the defaults, which say nothing there.</summary>
    public static FewShotConfiguration From(InspectionOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var kag = options.Method as KagOptions ?? new();
        return new(kag.Prompt.Iterations, kag.Fusion);
    }

    /// <summary>What sets it apart from the run's own, in short, as "T3 gamma0.2"; empty: nothing.</summary>
    public string Differences(FewShotConfiguration own)
    {
        ArgumentNullException.ThrowIfNull(own);
        return string.Join(' ', new[]
        {
            Iterations == own.Iterations ? "" : string.Create(CultureInfo.InvariantCulture, $"T{Iterations}"),
            Fusion.Branches == own.Fusion.Branches ? "" : $"{Fusion.Branches}",
            Fusion.Gamma == own.Fusion.Gamma ? "" : string.Create(CultureInfo.InvariantCulture, $"gamma{Fusion.Gamma}"),
            Fusion.TopK == own.Fusion.TopK ? "" : string.Create(CultureInfo.InvariantCulture, $"k{Fusion.TopK}"),
            Fusion.LocalContrast == own.Fusion.LocalContrast ? ""
                : string.Create(CultureInfo.InvariantCulture, $"contrast{Fusion.LocalContrast}"),
        }.Where(difference => difference.Length > 0));
    }
}
