namespace Microsoft.ML.KagPrompt;

/// <summary>Metrics of each class, and their mean, every class counting alike.</summary>
/// <param name="PerClass">By class name; of data without a class column one entry, "object".</param>
/// <param name="Mean">Over the classes for which a metric can be computed.</param>
public sealed record AnomalyMetrics<T>(IReadOnlyDictionary<string, T> PerClass, T Mean)
{
    /// <summary>What keeps a metric from being computed, in words, with the class's name.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];
}
