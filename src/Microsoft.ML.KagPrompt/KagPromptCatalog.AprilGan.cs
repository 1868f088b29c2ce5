using System.Runtime.CompilerServices;
using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt;

namespace Microsoft.ML;

/// <content>APRIL-GAN: <c>mlContext.Transforms.DetectAnomaliesAprilGan(...)</c>.</content>
public static partial class KagPromptCatalog
{
    /// <summary>
    /// APRIL-GAN: as <see cref="DetectAnomaliesKag(TransformsCatalog, string, KagPromptOptions)"/>, with the same columns, thresholds and
    /// zips. It needs a backbone with a text side, as "compact" is, and trains linear heads unless the method's choices name trained ones.
    /// </summary>
    /// <param name="catalog">The transforms catalog.</param>
    /// <param name="imageColumnName">Column of images of any size; replaces the options' name.</param>
    /// <param name="method">The method's own choices; null: the defaults.</param>
    /// <param name="options">All other choices, the backbone among them; null: the defaults. Their groups for KAG-prompt stay as they
    /// are.</param>
    /// <exception cref="ArgumentException">Names every option that is out of range.</exception>
    public static KagPromptEstimator DetectAnomaliesAprilGan(this TransformsCatalog catalog, string imageColumnName = "Image",
        AprilGanOptions? method = null, KagPromptOptions? options = null)
        => Detect(catalog, imageColumnName, method ?? new(), options);

    /// <inheritdoc cref="DetectAnomaliesAprilGan(TransformsCatalog, string, AprilGanOptions, KagPromptOptions)"/>
    /// <param name="catalog">The transforms catalog.</param>
    /// <param name="imageColumnName">Column of images of any size.</param>
    /// <param name="labelColumnName">As <see cref="ColumnOptions.Label"/>; null: all rows are normal.</param>
    /// <param name="classNameColumnName">As <see cref="ColumnOptions.ClassName"/>; null: one class.</param>
    /// <param name="supportColumnName">As <see cref="ColumnOptions.Support"/>; null: the library chooses.</param>
    /// <param name="backboneName">As <see cref="BackboneOptions.Name"/>: the default is embedded.</param>
    [OverloadResolutionPriority(-1)]
#pragma warning disable RS0026 // The priority says which of the two a call without names means.
    public static KagPromptEstimator DetectAnomaliesAprilGan(this TransformsCatalog catalog, string imageColumnName = "Image",
        string? labelColumnName = null, string? classNameColumnName = null, string? supportColumnName = null,
        string backboneName = "compact")
#pragma warning restore RS0026
        => Detect(catalog, imageColumnName, new AprilGanOptions(),
            Named(labelColumnName, classNameColumnName, supportColumnName) with { Backbone = new() { Name = backboneName } });
}
