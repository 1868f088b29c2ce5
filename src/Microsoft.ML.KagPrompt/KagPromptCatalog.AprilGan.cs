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
}
