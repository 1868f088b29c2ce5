using System.Runtime.CompilerServices;
using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt;

namespace Microsoft.ML;

/// <content>Three small scorers of patches.</content>
public static partial class KagPromptCatalog
{
    /// <summary>
    /// AnomalyDINO's rule, the nearest normal patch: as <see cref="DetectAnomaliesKag(TransformsCatalog, string, KagPromptOptions)"/>,
    /// with the same columns, thresholds and zips.
    /// </summary>
    /// <param name="catalog">The transforms catalog.</param>
    /// <param name="imageColumnName">Column of images of any size; replaces the options' name.</param>
    /// <param name="method">The method's own choices; null: the defaults.</param>
    /// <param name="options">All other choices; null: the defaults. Their groups for KAG-prompt stay as they are.</param>
    /// <exception cref="ArgumentException">Names every option that is out of range.</exception>
    public static KagPromptEstimator DetectAnomaliesAnomalyDino(this TransformsCatalog catalog, string imageColumnName = "Image",
        AnomalyDinoOptions? method = null, KagPromptOptions? options = null)
        => Detect(catalog, imageColumnName, method ?? new(), options);

    /// <inheritdoc cref="DetectAnomaliesAnomalyDino(TransformsCatalog, string, AnomalyDinoOptions, KagPromptOptions)"/>
    /// <param name="catalog">The transforms catalog.</param>
    /// <param name="imageColumnName">Column of images of any size.</param>
    /// <param name="labelColumnName">As <see cref="ColumnOptions.Label"/>; null: all rows are normal.</param>
    /// <param name="classNameColumnName">As <see cref="ColumnOptions.ClassName"/>; null: one class.</param>
    /// <param name="supportColumnName">As <see cref="ColumnOptions.Support"/>; null: the library chooses.</param>
    [OverloadResolutionPriority(-1)]
    public static KagPromptEstimator DetectAnomaliesAnomalyDino(this TransformsCatalog catalog, string imageColumnName = "Image",
        string? labelColumnName = null, string? classNameColumnName = null, string? supportColumnName = null)
        => Detect(catalog, imageColumnName, new AnomalyDinoOptions(), Named(labelColumnName, classNameColumnName, supportColumnName));

    /// <summary>
    /// SubspaceAD's residual: as <see cref="DetectAnomaliesKag(TransformsCatalog, string, KagPromptOptions)"/>,
    /// with the same columns, thresholds and zips.
    /// </summary>
    /// <param name="catalog">The transforms catalog.</param>
    /// <param name="imageColumnName">Column of images of any size; replaces the options' name.</param>
    /// <param name="method">The method's own choices; null: the defaults.</param>
    /// <param name="options">All other choices; null: the defaults. Their groups for KAG-prompt stay as they are.</param>
    /// <exception cref="ArgumentException">Names every option that is out of range.</exception>
    public static KagPromptEstimator DetectAnomaliesSubspace(this TransformsCatalog catalog, string imageColumnName = "Image",
        SubspaceOptions? method = null, KagPromptOptions? options = null)
        => Detect(catalog, imageColumnName, method ?? new(), options);

    /// <inheritdoc cref="DetectAnomaliesSubspace(TransformsCatalog, string, SubspaceOptions, KagPromptOptions)"/>
    /// <param name="catalog">The transforms catalog.</param>
    /// <param name="imageColumnName">Column of images of any size.</param>
    /// <param name="labelColumnName">As <see cref="ColumnOptions.Label"/>; null: all rows are normal.</param>
    /// <param name="classNameColumnName">As <see cref="ColumnOptions.ClassName"/>; null: one class.</param>
    /// <param name="supportColumnName">As <see cref="ColumnOptions.Support"/>; null: the library chooses.</param>
    [OverloadResolutionPriority(-1)]
    public static KagPromptEstimator DetectAnomaliesSubspace(this TransformsCatalog catalog, string imageColumnName = "Image",
        string? labelColumnName = null, string? classNameColumnName = null, string? supportColumnName = null)
        => Detect(catalog, imageColumnName, new SubspaceOptions(), Named(labelColumnName, classNameColumnName, supportColumnName));

    /// <summary>
    /// RAD's position-local search: as <see cref="DetectAnomaliesKag(TransformsCatalog, string, KagPromptOptions)"/>,
    /// with the same columns, thresholds and zips.
    /// </summary>
    /// <param name="catalog">The transforms catalog.</param>
    /// <param name="imageColumnName">Column of images of any size; replaces the options' name.</param>
    /// <param name="method">The method's own choices; null: the defaults.</param>
    /// <param name="options">All other choices; null: the defaults. Their groups for KAG-prompt stay as they are.</param>
    /// <exception cref="ArgumentException">Names every option that is out of range.</exception>
    public static KagPromptEstimator DetectAnomaliesRad(this TransformsCatalog catalog, string imageColumnName = "Image",
        RadOptions? method = null, KagPromptOptions? options = null)
        => Detect(catalog, imageColumnName, method ?? new(), options);

    /// <inheritdoc cref="DetectAnomaliesRad(TransformsCatalog, string, RadOptions, KagPromptOptions)"/>
    /// <param name="catalog">The transforms catalog.</param>
    /// <param name="imageColumnName">Column of images of any size.</param>
    /// <param name="labelColumnName">As <see cref="ColumnOptions.Label"/>; null: all rows are normal.</param>
    /// <param name="classNameColumnName">As <see cref="ColumnOptions.ClassName"/>; null: one class.</param>
    /// <param name="supportColumnName">As <see cref="ColumnOptions.Support"/>; null: the library chooses.</param>
    [OverloadResolutionPriority(-1)]
    public static KagPromptEstimator DetectAnomaliesRad(this TransformsCatalog catalog, string imageColumnName = "Image",
        string? labelColumnName = null, string? classNameColumnName = null, string? supportColumnName = null)
        => Detect(catalog, imageColumnName, new RadOptions(), Named(labelColumnName, classNameColumnName, supportColumnName));
}
