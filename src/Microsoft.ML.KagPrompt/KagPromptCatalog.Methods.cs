using System.Runtime.CompilerServices;
using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt;

namespace Microsoft.ML;

/// <content>Other methods, for comparison: <c>mlContext.Transforms.DetectAnomaliesPatchCore(...)</c> and its like.</content>
public static partial class KagPromptCatalog
{
    /// <summary>
    /// PatchCore: as <see cref="DetectAnomaliesKag(TransformsCatalog, string, KagPromptOptions)"/>, with the same columns, thresholds and
    /// zips.
    /// </summary>
    /// <param name="catalog">The transforms catalog.</param>
    /// <param name="imageColumnName">Column of images of any size; replaces the options' name.</param>
    /// <param name="method">The method's own choices; null: the defaults.</param>
    /// <param name="options">All other choices; null: the defaults. Their groups for KAG-prompt stay as they are.</param>
    /// <exception cref="ArgumentException">Names every option that is out of range.</exception>
    public static KagPromptEstimator DetectAnomaliesPatchCore(this TransformsCatalog catalog, string imageColumnName = "Image",
        PatchCoreOptions? method = null, KagPromptOptions? options = null)
        => Detect(catalog, imageColumnName, method ?? new(), options);

    /// <inheritdoc cref="DetectAnomaliesPatchCore(TransformsCatalog, string, PatchCoreOptions, KagPromptOptions)"/>
    /// <param name="catalog">The transforms catalog.</param>
    /// <param name="imageColumnName">Column of images of any size.</param>
    /// <param name="labelColumnName">As <see cref="ColumnOptions.Label"/>; null: all rows are normal.</param>
    /// <param name="classNameColumnName">As <see cref="ColumnOptions.ClassName"/>; null: one class.</param>
    /// <param name="supportColumnName">As <see cref="ColumnOptions.Support"/>; null: the library chooses.</param>
    [OverloadResolutionPriority(-1)]
    public static KagPromptEstimator DetectAnomaliesPatchCore(this TransformsCatalog catalog, string imageColumnName = "Image",
        string? labelColumnName = null, string? classNameColumnName = null, string? supportColumnName = null)
        => Detect(catalog, imageColumnName, new PatchCoreOptions(), Named(labelColumnName, classNameColumnName, supportColumnName));

    /// <summary>
    /// SPADE: as <see cref="DetectAnomaliesKag(TransformsCatalog, string, KagPromptOptions)"/>, with the same columns, thresholds and
    /// zips.
    /// </summary>
    /// <param name="catalog">The transforms catalog.</param>
    /// <param name="imageColumnName">Column of images of any size; replaces the options' name.</param>
    /// <param name="method">The method's own choices; null: the defaults.</param>
    /// <param name="options">All other choices; null: the defaults. Their groups for KAG-prompt stay as they are.</param>
    /// <exception cref="ArgumentException">Names every option that is out of range.</exception>
    public static KagPromptEstimator DetectAnomaliesSpade(this TransformsCatalog catalog, string imageColumnName = "Image",
        SpadeOptions? method = null, KagPromptOptions? options = null)
        => Detect(catalog, imageColumnName, method ?? new(), options);

    /// <inheritdoc cref="DetectAnomaliesSpade(TransformsCatalog, string, SpadeOptions, KagPromptOptions)"/>
    /// <param name="catalog">The transforms catalog.</param>
    /// <param name="imageColumnName">Column of images of any size.</param>
    /// <param name="labelColumnName">As <see cref="ColumnOptions.Label"/>; null: all rows are normal.</param>
    /// <param name="classNameColumnName">As <see cref="ColumnOptions.ClassName"/>; null: one class.</param>
    /// <param name="supportColumnName">As <see cref="ColumnOptions.Support"/>; null: the library chooses.</param>
    [OverloadResolutionPriority(-1)]
    public static KagPromptEstimator DetectAnomaliesSpade(this TransformsCatalog catalog, string imageColumnName = "Image",
        string? labelColumnName = null, string? classNameColumnName = null, string? supportColumnName = null)
        => Detect(catalog, imageColumnName, new SpadeOptions(), Named(labelColumnName, classNameColumnName, supportColumnName));

    /// <summary>Any method; the options must not name another.</summary>
    private static KagPromptEstimator Detect(
        TransformsCatalog catalog, string imageColumnName, MethodOptions method, KagPromptOptions? options)
    {
        var chosen = options ?? new KagPromptOptions();
        if (chosen.Method is { } other && other.GetType() != method.GetType())
        {
            throw new ArgumentException(
                $"options.{nameof(KagPromptOptions.Method)}: expected null, or what the call is for, '{InspectionMethods.NameOf(method)}', "
                + $"got '{InspectionMethods.NameOf(other)}'.", nameof(options));
        }

        return catalog.DetectAnomaliesKag(imageColumnName, chosen with { Method = method });
    }

    private static KagPromptOptions Named(string? label, string? className, string? support)
        => new() { Columns = new() { Label = label, ClassName = className, Support = support } };
}
