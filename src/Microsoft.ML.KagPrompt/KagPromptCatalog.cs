using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt;

namespace Microsoft.ML;

/// <summary>The way in: <c>mlContext.Transforms.DetectAnomaliesKag(...)</c>.</summary>
public static class KagPromptCatalog
{
    /// <summary>Few-shot visual anomaly detection (KAG-prompt): fits on normal images, appends a score, a decision and an anomaly map to every row.</summary>
    /// <param name="catalog">The transforms catalog.</param>
    /// <param name="imageColumnName">Column of images of any size; replaces the options' name.</param>
    /// <param name="options">All other choices; null: the defaults.</param>
    /// <exception cref="ArgumentException">Names every option that is out of range.</exception>
    public static KagPromptEstimator DetectAnomaliesKag(this TransformsCatalog catalog, string imageColumnName = "Image", KagPromptOptions? options = null)
    {
        var chosen = options ?? new KagPromptOptions();
        return new(CatalogUtils.GetEnvironment(catalog), chosen with { Columns = chosen.Columns with { Image = imageColumnName } });
    }

    /// <inheritdoc cref="DetectAnomaliesKag(TransformsCatalog, string, KagPromptOptions)"/>
    public static KagPromptEstimator DetectAnomaliesKag(this TransformsCatalog catalog, KagPromptOptions options)
        => new(CatalogUtils.GetEnvironment(catalog), options ?? throw new ArgumentNullException(nameof(options)));
}
