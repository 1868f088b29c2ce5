namespace Microsoft.ML.KagPrompt;

/// <summary>Which image branch of AnomalyGPT scores.</summary>
public enum AnomalyGptBranch
{
    /// <summary>The nearest normal patch of each of the backbone's layers. Nothing is trained. The default.</summary>
    FewShot,

    /// <summary>
    /// The image decoder: linear heads, trained by the authors, held against sentences. Support images then place the threshold alone.
    /// </summary>
    ZeroShot,
}
