namespace Microsoft.ML.KagPrompt.Hosting;

/// <summary>Inspects images of the products that this program serves. The verdict says which version of the model made it.</summary>
/// <remarks>
/// Thread-safe. Images of one product that come at once are inspected together; one that cannot be read fails alone. A call ends on the model
/// it began with, whatever is swapped meanwhile.
/// </remarks>
public interface IInspector
{
    /// <summary>Inspects an image file in memory.</summary>
    /// <param name="image">The whole file: PNG, JPEG, BMP, WebP or GIF. Not to be changed until the task ends.</param>
    /// <param name="product">Which product it shows.</param>
    /// <param name="cancellationToken">Drops the request; others of its batch are not disturbed.</param>
    /// <exception cref="InspectionRefusedException">It was not begun: the queue is full, the program stops, or there is no such product.</exception>
    /// <exception cref="ImageReadException">It cannot be read, is too large, or has another shape than the product's region.</exception>
    /// <exception cref="NotFiniteException">There is no verdict: its score or map is not finite.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    Task<Inspection> InspectAsync(byte[] image, string product, CancellationToken cancellationToken = default);

    /// <summary>The same of a stream, which is read to its end once the request is accepted, and left open.</summary>
    /// <param name="image">The file, of at most <see cref="KagPromptHostingOptions.MaxImageBytes"/>.</param>
    /// <param name="product">Which product it shows.</param>
    /// <param name="cancellationToken">Drops the request; others of its batch are not disturbed.</param>
    /// <exception cref="IOException">The stream's own, as it is.</exception>
    /// <inheritdoc cref="InspectAsync(byte[], string, CancellationToken)"/>
    Task<Inspection> InspectAsync(Stream image, string product, CancellationToken cancellationToken = default);

    /// <summary>Inspects a picture.</summary>
    /// <param name="image">A picture of any size, turned as the model's were.</param>
    /// <param name="product">Which product it shows.</param>
    /// <param name="cancellationToken">Drops the request; others of its batch are not disturbed.</param>
    /// <inheritdoc cref="InspectAsync(byte[], string, CancellationToken)"/>
    Task<Inspection> InspectAsync(PixelBuffer image, string product, CancellationToken cancellationToken = default);
}
