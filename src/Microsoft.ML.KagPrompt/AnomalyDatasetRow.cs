namespace Microsoft.ML.KagPrompt;

/// <summary>An image of a data set, as a row.</summary>
public sealed class AnomalyDatasetRow
{
    /// <summary>Full path of the image.</summary>
    public string ImagePath { get; set; } = "";

    /// <summary>The product it shows.</summary>
    public string ClassName { get; set; } = "";

    /// <summary>0: normal, 1: anomalous, NaN: the data set does not say.</summary>
    public float Label { get; set; }

    /// <summary>"good", or the kind of defect.</summary>
    public string DefectType { get; set; } = "";

    /// <summary>Full path of the mask, an image or a folder of images; empty: none.</summary>
    public string MaskPath { get; set; } = "";

    /// <summary>"train", "validation" or "test".</summary>
    public string Split { get; set; } = "";
}
