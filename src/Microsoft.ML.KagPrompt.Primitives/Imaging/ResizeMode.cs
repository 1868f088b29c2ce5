namespace Microsoft.ML.KagPrompt;

/// <summary>How an image of any size becomes the S × S square a backbone reads.</summary>
public enum ResizeMode
{
    /// <summary>Both sides to S, bicubic with antialiasing: nothing of the part is lost. The default.</summary>
    Stretch,

    /// <summary>
    /// Short side to S, then the centre S × S: the published evaluation. What lies outside is not inspected;
    /// maps at the image's own size are NaN there.
    /// </summary>
    CropShortSide,
}
