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
}
