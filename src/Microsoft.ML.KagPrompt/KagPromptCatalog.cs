using System.Runtime.CompilerServices;
using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt;

namespace Microsoft.ML;

/// <summary>The way in: <c>mlContext.Transforms.DetectAnomaliesKag(...)</c>.</summary>
public static partial class KagPromptCatalog
{
    /// <summary>
    /// Few-shot visual anomaly detection (KAG-prompt): fits on normal images, appends a score, a decision and an anomaly map to every row.
    /// </summary>
    /// <param name="catalog">The transforms catalog.</param>
    /// <param name="imageColumnName">Column of images of any size; replaces the options' name.</param>
    /// <param name="options">All other choices; null: the defaults.</param>
    /// <exception cref="ArgumentException">Names every option that is out of range.</exception>
    public static KagPromptEstimator DetectAnomaliesKag(this TransformsCatalog catalog, string imageColumnName = "Image",
        KagPromptOptions? options = null)
    {
        var chosen = options ?? new KagPromptOptions();
        return new(CatalogUtils.GetEnvironment(catalog), chosen with { Columns = chosen.Columns with { Image = imageColumnName } });
    }

    /// <summary>
    /// As <see cref="DetectAnomaliesKag(TransformsCatalog, string, KagPromptOptions)"/>, with the columns named as ML.NET's own trainers
    /// have them.
    /// </summary>
    /// <param name="catalog">The transforms catalog.</param>
    /// <param name="imageColumnName">Column of images of any size.</param>
    /// <param name="labelColumnName">As <see cref="ColumnOptions.Label"/>; null: all rows are normal.</param>
    /// <param name="classNameColumnName">As <see cref="ColumnOptions.ClassName"/>; null: one class.</param>
    /// <param name="supportColumnName">As <see cref="ColumnOptions.Support"/>; null: the library chooses.</param>
    /// <param name="epochs">Passes over the normal images when training; 0: no training; null: the default of
    /// <see cref="TrainingOptions.Epochs"/>.</param>
    /// <exception cref="ArgumentException">Names every value that is out of range.</exception>
    // Behind the overload with options, which calls without any of these names meant before.
    [OverloadResolutionPriority(-1)]
    public static KagPromptEstimator DetectAnomaliesKag(this TransformsCatalog catalog, string imageColumnName = "Image",
        string? labelColumnName = null, string? classNameColumnName = null, string? supportColumnName = null, int? epochs = null)
    {
        var options = new KagPromptOptions
        {
            Columns = new() { Label = labelColumnName, ClassName = classNameColumnName, Support = supportColumnName },
        };
        return catalog.DetectAnomaliesKag(imageColumnName, epochs is { } passes
            ? options with { Training = options.Training with { Epochs = passes } }
            : options);
    }

    /// <inheritdoc cref="DetectAnomaliesKag(TransformsCatalog, string, KagPromptOptions)"/>
    public static KagPromptEstimator DetectAnomaliesKag(this TransformsCatalog catalog, KagPromptOptions options)
        => new(CatalogUtils.GetEnvironment(catalog), options ?? throw new ArgumentNullException(nameof(options)));
}
