namespace Microsoft.ML.KagPrompt;

/// <summary>The size of the anomaly maps in the output column.</summary>
public enum MapResolution
{
    /// <summary>The model's S × S: a vector of known size (S, S). The default.</summary>
    Model,

    /// <summary>Each image's own height × width: a vector of variable size, row by row; NaN where the image was not inspected.</summary>
    Image,
}
