namespace Microsoft.ML.KagPrompt.Hosting;

/// <summary>Where a product's model is.</summary>
/// <param name="Product">The product's name: 1 to 64 letters, digits, '.', '-' or '_', neither first nor last a dot.</param>
/// <param name="Path">The file.</param>
/// <remarks>Immutable.</remarks>
public sealed record ModelSource(string Product, string Path)
{
    /// <summary>Which of the file's classes the product is; null: its only one.</summary>
    public string? ClassName { get; init; }

    /// <summary>What verdicts call the model; null: the first 12 digits of the file's SHA-256.</summary>
    public string? Version { get; init; }
}
