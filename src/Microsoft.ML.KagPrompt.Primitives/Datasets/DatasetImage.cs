namespace Microsoft.ML.KagPrompt;

/// <summary>What an image is meant for.</summary>
public enum DatasetSplit
{
    /// <summary>Fitting.</summary>
    Train,

    /// <summary>Normal images set aside for thresholds (MVTec LOCO).</summary>
    Validation,

    /// <summary>Scoring.</summary>
    Test,
}

/// <summary>One image file of a data set.</summary>
/// <param name="Path">Where it lies.</param>
/// <param name="ClassName">The product it shows.</param>
/// <param name="Split">What it is meant for.</param>
/// <param name="IsAnomalous">Whether it shows a defect; null where the data set does not say.</param>
/// <param name="DefectType">"good", or the kind of defect.</param>
/// <param name="MaskPath">Its ground truth, if there is one: an image, or (MVTec LOCO) a folder of images to be united.
/// What is not black is defective.</param>
public sealed record DatasetImage(
    string Path, string ClassName, DatasetSplit Split, bool? IsAnomalous, string DefectType, string? MaskPath);
