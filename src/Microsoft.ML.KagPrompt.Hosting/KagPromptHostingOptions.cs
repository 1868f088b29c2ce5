namespace Microsoft.ML.KagPrompt.Hosting;

/// <summary>How models are served. Checked when the host starts; changes after that have no effect.</summary>
/// <remarks>Not thread-safe; set before the host starts.</remarks>
public sealed class KagPromptHostingOptions
{
    /// <summary>
    /// Products whose model is a file of its own, by name: letters, digits, '.', '-' and '_', at most 64, neither first nor last a dot. They
    /// are loaded before the program takes requests; a file that cannot be loaded stops the start. Products of a registry need no entry.
    /// </summary>
    public IDictionary<string, ProductOptions> Products { get; } = new Dictionary<string, ProductOptions>(StringComparer.Ordinal);

    /// <summary>
    /// Requests of one product that may wait, being read, decoded or queued, 1 to 100,000; further ones are refused. What a waiting one holds
    /// at most is its file and then a picture of the model's size.
    /// </summary>
    public int QueueCapacity { get; set; } = 64;

    /// <summary>Images of a product that go through its model together, 1 to 1,024. Models run 8 at a time.</summary>
    public int MaxBatchSize { get; set; } = 8;

    /// <summary>
    /// How long an image waits for others to share its batch, zero to 10 s; zero: a batch is what waits when the model is free. Images that
    /// waited as long while the batch before was inspected wait no more.
    /// </summary>
    public TimeSpan MaxBatchDelay { get; set; } = TimeSpan.FromMilliseconds(2);

    /// <summary>Pictures of at most 16 megapixels that are decoded at once, 1 to 1,024; of larger ones it is one.</summary>
    public int MaxConcurrentDecodes { get; set; } = 4;

    /// <summary>Longest image file in bytes, 1 or more, that is read.</summary>
    public int MaxImageBytes { get; set; } = 20_000_000;

    /// <summary>
    /// Whether maps have their images' own size, four bytes a pixel; false: the model's S × S.
    /// </summary>
    public bool MapsAtImageSize { get; set; }

    /// <summary>How often the registry is looked at, 10 ms to 1 day.</summary>
    public TimeSpan RegistryInterval { get; set; } = TimeSpan.FromSeconds(5);
}
