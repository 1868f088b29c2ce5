using Microsoft.ML.KagPrompt;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Metrics;

namespace Microsoft.ML;

/// <summary>
/// Metrics as the field reports them: <c>mlContext.AnomalyDetection.EvaluateImages(...)</c> and <c>EvaluatePixels(...)</c>.
/// </summary>
public static class AnomalyDetectionCatalogExtensions
{
    /// <summary>
    /// How well scores tell anomalous images from normal ones: AUROC, average precision, largest F1, per class, with 95 % intervals. What
    /// cannot be computed is NaN, with a warning.
    /// </summary>
    /// <param name="catalog">The anomaly detection catalog.</param>
    /// <param name="data">Scored rows; read once.</param>
    /// <param name="labelColumnName">Single (above 0 anomalous, NaN unknown), Boolean (true anomalous), or a key whose values' names say
    /// what they mean, as <see cref="ColumnOptions.Label"/>.</param>
    /// <param name="scoreColumnName">Single, higher is more anomalous.</param>
    /// <param name="classNameColumnName">Text or key; null: one class.</param>
    /// <param name="seed">Of the bootstrap.</param>
    /// <param name="normalLabel">The label that means a sound part, as <see cref="ColumnOptions.NormalLabel"/>; null: it follows from
    /// the label column's type and names.</param>
    /// <exception cref="ArgumentException">It is open which label is normal.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of another type.</exception>
    public static AnomalyMetrics<ImageMetrics> EvaluateImages(this AnomalyDetectionCatalog catalog, IDataView data,
        string labelColumnName = "Label", string scoreColumnName = "Score", string? classNameColumnName = null, int seed = 0,
        string? normalLabel = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(data);
        return ScoredRows.Images(data, labelColumnName, scoreColumnName, classNameColumnName, seed, normalLabel);
    }

    /// <summary>
    /// How well maps find defective pixels and regions: AUROC, average precision, largest F1, AUPRO, per class, with 95 % intervals; one
    /// map at a time, in memory that does not grow with their number.
    /// </summary>
    /// <param name="catalog">The anomaly detection catalog.</param>
    /// <param name="data">Scored rows; read once.</param>
    /// <param name="anomalyMapColumnName">Maps: all of one square size, or (<see cref="MapResolution.Image"/>) of each image's own, which
    /// is then its mask's.</param>
    /// <param name="maskPathColumnName">Text: where the mask lies; empty: all pixels are normal, or, of an anomalous row, the row is left
    /// out with a warning.</param>
    /// <param name="labelColumnName">As in <see cref="EvaluateImages"/>; null: rows without a mask are normal.</param>
    /// <param name="classNameColumnName">Text or key; null: one class.</param>
    /// <param name="resizeMode">How images were brought to the maps' size, so that masks are brought there alike (nearest pixel). Null: as
    /// the maps' column says, which a fitted model writes there, else stretched.</param>
    /// <param name="seed">Of the bootstrap.</param>
    /// <param name="normalLabel">The label that means a sound part, as <see cref="ColumnOptions.NormalLabel"/>; null: it follows from
    /// the label column's type and names.</param>
    /// <exception cref="ArgumentException">It is open which label is normal.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of another type.</exception>
    /// <exception cref="ImageReadException">A mask cannot be read, or is not of its image's size.</exception>
    public static AnomalyMetrics<PixelMetrics> EvaluatePixels(this AnomalyDetectionCatalog catalog, IDataView data,
        string anomalyMapColumnName = "AnomalyMap", string maskPathColumnName = "MaskPath",
        string? labelColumnName = "Label", string? classNameColumnName = null, ResizeMode? resizeMode = null, int seed = 0,
        string? normalLabel = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(data);
        return ScoredRows.Pixels(data, anomalyMapColumnName, maskPathColumnName, labelColumnName, classNameColumnName, resizeMode, seed,
            normalLabel);
    }
}
