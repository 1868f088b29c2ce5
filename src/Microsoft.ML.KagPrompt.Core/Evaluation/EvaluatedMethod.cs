namespace Microsoft.ML.KagPrompt;

/// <summary>One of several methods that are evaluated together.</summary>
/// <remarks>Immutable; safe to share between threads.</remarks>
public sealed record EvaluatedMethod
{
    /// <summary>The choices of every fit, and with them the method. Seed and the number of support images are each draw's own.</summary>
    public required InspectionOptions Options { get; init; }

    /// <summary>Shots, draws, ablations.</summary>
    public FewShotProtocol Protocol { get; init; } = new();
}
