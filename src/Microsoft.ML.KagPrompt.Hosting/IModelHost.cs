namespace Microsoft.ML.KagPrompt.Hosting;

/// <summary>The models that this program serves: loads, swaps and unloads them while requests come.</summary>
/// <remarks>Thread-safe. Models are loaded one at a time: until one takes over, both take memory.</remarks>
public interface IModelHost
{
    /// <summary>What is served, by name, and what should be but could not be loaded.</summary>
    IReadOnlyList<HostedProduct> Products { get; }

    /// <summary>
    /// Loads a model, has it score an image, and gives it the product's requests from then on. Those under way end on the model they began
    /// with, which is then disposed. When it fails, what served the product goes on.
    /// </summary>
    /// <param name="source">Which file, for which product.</param>
    /// <param name="cancellationToken">Ends the wait; a model that is being loaded is let go of.</param>
    /// <exception cref="ArgumentException">The product's name is none, or the file does not know the class.</exception>
    /// <exception cref="IOException">The file is not there or cannot be read.</exception>
    /// <exception cref="KagPromptException">It is damaged, no loader reads it, what computes it is not there, or it scored the image
    /// with what is no number.</exception>
    /// <exception cref="ObjectDisposedException">The program is stopping.</exception>
    Task SwapAsync(ModelSource source, CancellationToken cancellationToken = default);

    /// <summary>Refuses the product's requests from now on; the model is disposed when those accepted are answered.</summary>
    /// <param name="product">The product; one that is not served is no error.</param>
    /// <param name="cancellationToken">Ends the wait for them, and nothing else.</param>
    Task UnloadAsync(string product, CancellationToken cancellationToken = default);
}
