namespace Microsoft.ML.KagPrompt;

/// <summary>Whether a saved model holds its vision tower.</summary>
public enum BackboneStorage
{
    /// <summary>Up to 64 MB in 16 bit it holds it; a larger one it refers to. The default.</summary>
    Auto,

    /// <summary>It holds it, in 16 bit.</summary>
    Embed,

    /// <summary>
    /// It names the file by SHA-256. Loading looks beside the model zip, in a folder "backbones" there, in the folders that the caller of
    /// the loader names and in those of the environment variable KAGPROMPT_BACKBONES, and right below each.
    /// </summary>
    Refer,
}
