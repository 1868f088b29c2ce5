namespace Microsoft.ML.KagPrompt;

/// <summary>Which way up a photograph is read.</summary>
public enum ImageOrientation
{
    /// <summary>As its EXIF tag says, and as viewers show it. The default.</summary>
    Exif,

    /// <summary>As its pixels are stored; the EXIF tag is passed over.</summary>
    AsStored,
}
