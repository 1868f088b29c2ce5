namespace Microsoft.ML.KagPrompt;

/// <summary>
/// Which form of the graph prompt: the paper's equations, or the code its authors published.
/// docs/explanation/paper-and-code.md lists every difference.
/// </summary>
public enum GraphVariant
{
    /// <summary>What the equations say. The default.</summary>
    Paper,

    /// <summary>What the authors' code computes; runs the checkpoints they published.</summary>
    Released,
}
