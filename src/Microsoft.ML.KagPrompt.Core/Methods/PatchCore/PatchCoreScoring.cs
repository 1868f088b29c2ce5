namespace Microsoft.ML.KagPrompt;

/// <summary>How PatchCore's distances become scores.</summary>
public enum PatchCoreScoring
{
    /// <summary>As in the authors' code: squared distances, an image's score the largest of its patches. The default.</summary>
    Published,

    /// <summary>
    /// As in the paper: distances, an image's score the largest of its patches weighted by how alone its nearest patch stands in the
    /// bank.
    /// </summary>
    Paper,
}
