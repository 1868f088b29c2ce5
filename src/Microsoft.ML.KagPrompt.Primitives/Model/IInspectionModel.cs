namespace Microsoft.ML.KagPrompt;

/// <summary>
/// A loaded model of one class of parts, whatever computes it: what a service needs of it and no more. <c>KagPromptModelLoader</c> and
/// <c>OnnxModelLoader</c> make them.
/// </summary>
/// <remarks>Thread-safe. Owns native memory: dispose it. What is being inspected meanwhile is finished.</remarks>
public interface IInspectionModel : IDisposable
{
    /// <summary>The class whose images it scores.</summary>
    string ClassName { get; }

    /// <summary>How image files are to be read for it. <see cref="ImageOptions.Size"/> is set.</summary>
    ImageOptions Images { get; }

    /// <summary>
    /// Batches, 1 or more, that it is worth inspecting at once: 1 where a batch takes all of a device, and a second would only wait.
    /// </summary>
    int ConcurrentBatches { get; }

    /// <summary>An image as the model sees it; of large ones that wait for their turn nothing more need be held.</summary>
    /// <param name="image">An image of any size, turned as <see cref="ImageOptions.Orientation"/> says.</param>
    /// <exception cref="ImageReadException">It has another shape than the class's region.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    PixelBuffer ToModelSize(PixelBuffer image);

    /// <summary>Inspects what <see cref="ToModelSize"/> made, together.</summary>
    /// <param name="images">The images.</param>
    /// <param name="cancellationToken">Ends the wait for the device's turn.</param>
    /// <returns>A verdict an image, in order; maps are S × S.</returns>
    /// <exception cref="NotFiniteException">A score or map is NaN or infinite: there is no verdict on any.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    Task<IReadOnlyList<Inspection>> InspectAsync(IReadOnlyList<PixelBuffer> images, CancellationToken cancellationToken = default);

    /// <summary>A verdict's map at its image's own size: bilinear, NaN where the image was not inspected.</summary>
    /// <param name="map">S × S values.</param>
    /// <param name="width">Columns of the image in pixels.</param>
    /// <param name="height">Rows of the image.</param>
    float[] MapToImage(ReadOnlySpan<float> map, int width, int height);
}
