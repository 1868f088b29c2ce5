namespace Microsoft.ML.KagPrompt;

/// <summary>How a bank of patches is thinned.</summary>
public enum CoresetKind
{
    /// <summary>Not at all. The default.</summary>
    None,

    /// <summary>Greedily, exactly: what it computes grows with the square of the patches.</summary>
    Greedy,

    /// <summary>Greedily, from the distances to ten patches drawn at random: the authors' usual way.</summary>
    ApproximateGreedy,
}
