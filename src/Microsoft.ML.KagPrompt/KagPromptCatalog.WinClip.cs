using System.Runtime.CompilerServices;
using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt;

namespace Microsoft.ML;

/// <content>WinCLIP: <c>mlContext.Transforms.DetectAnomaliesWinClip(...)</c>.</content>
public static partial class KagPromptCatalog
{
    /// <summary>
    /// WinCLIP, or WinCLIP+ with supports: as <see cref="DetectAnomaliesKag(TransformsCatalog, string, KagPromptOptions)"/>, with the same
    /// columns, thresholds and zips. It needs a CLIP or OpenCLIP checkpoint's file as the options' backbone.
    /// </summary>
    /// <param name="catalog">The transforms catalog.</param>
    /// <param name="imageColumnName">Column of images of any size; replaces the options' name.</param>
    /// <param name="method">The method's own choices; null: the defaults.</param>
    /// <param name="options">All other choices, the backbone among them; null: the defaults. Their groups for KAG-prompt stay as they
    /// are.</param>
    /// <exception cref="ArgumentException">Names every option that is out of range.</exception>
    public static KagPromptEstimator DetectAnomaliesWinClip(this TransformsCatalog catalog, string imageColumnName = "Image",
        WinClipOptions? method = null, KagPromptOptions? options = null)
        => Detect(catalog, imageColumnName, method ?? new(), options);

    /// <inheritdoc cref="DetectAnomaliesWinClip(TransformsCatalog, string, WinClipOptions, KagPromptOptions)"/>
    /// <param name="catalog">The transforms catalog.</param>
    /// <param name="imageColumnName">Column of images of any size.</param>
    /// <param name="labelColumnName">As <see cref="ColumnOptions.Label"/>; null: all rows are normal.</param>
    /// <param name="classNameColumnName">As <see cref="ColumnOptions.ClassName"/>; null: one class.</param>
    /// <param name="supportColumnName">As <see cref="ColumnOptions.Support"/>; null: the library chooses.</param>
    /// <param name="backboneName">As <see cref="BackboneOptions.Name"/>: a CLIP or OpenCLIP checkpoint's file. Null: the default, which is
    /// refused at the fit, for none that is embedded serves.</param>
    [OverloadResolutionPriority(-1)]
#pragma warning disable RS0026 // The priority says which of the two a call without names means.
    public static KagPromptEstimator DetectAnomaliesWinClip(this TransformsCatalog catalog, string imageColumnName = "Image",
        string? labelColumnName = null, string? classNameColumnName = null, string? supportColumnName = null, string? backboneName = null)
#pragma warning restore RS0026
    {
        var named = Named(labelColumnName, classNameColumnName, supportColumnName);
        return Detect(catalog, imageColumnName, new WinClipOptions(),
            backboneName is null ? named : named with { Backbone = new() { Name = backboneName } });
    }
}
