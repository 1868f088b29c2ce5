using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt;

namespace Microsoft.ML;

/// <summary>The way in for exported models: <c>mlContext.Transforms.ApplyKagOnnx(...)</c>.</summary>
public static class KagOnnxCatalog
{
    /// <summary>
    /// Scores images with a model that was exported as an ONNX file: appends the columns that <c>DetectAnomaliesKag</c> appends, without
    /// TorchSharp. There is nothing to fit.
    /// </summary>
    /// <param name="catalog">The transforms catalog.</param>
    /// <param name="modelPath">What <c>KagPromptModel.ExportOnnx</c> or <c>kagprompt export</c> wrote. A saved pipeline holds it.</param>
    /// <param name="imageColumnName">Column of images of any size; replaces the options' name.</param>
    /// <param name="options">All other choices; null: the defaults.</param>
    /// <exception cref="ArgumentException">Names every option that is out of range.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="ModelFormatException">It is no ONNX file, another program's, of a newer format, or damaged.</exception>
    public static KagOnnxEstimator ApplyKagOnnx(this TransformsCatalog catalog, string modelPath, string imageColumnName = "Image",
        KagOnnxOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(modelPath);
        var chosen = options ?? new KagOnnxOptions();
        return new(CatalogUtils.GetEnvironment(catalog), modelPath,
            chosen.Columns is null ? chosen : chosen with { Columns = chosen.Columns with { Image = imageColumnName } });
    }
}
