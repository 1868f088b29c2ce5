namespace Microsoft.ML.KagPrompt;

/// <summary>Where the values of patches lie when they are brought to pixels.</summary>
public enum MapUpsampling
{
    /// <summary>
    /// At the centres of what the backbone's cells see, so that a defect lies in the map where it lies in the image. The default.
    /// </summary>
    CellCentres,

    /// <summary>Stretched until the outer patches lie on the image's outer pixels, as the paper does ("aligned corners").</summary>
    AlignedCorners,
}
