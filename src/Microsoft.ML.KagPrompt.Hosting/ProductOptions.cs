namespace Microsoft.ML.KagPrompt.Hosting;

/// <summary>Which file a product's model is.</summary>
/// <remarks>Not thread-safe; set before the host starts.</remarks>
public sealed class ProductOptions
{
    /// <summary>The file.</summary>
    public string Path { get; set; } = "";

    /// <summary>Which of the file's classes the product is; null: its only one.</summary>
    public string? ClassName { get; set; }
}
