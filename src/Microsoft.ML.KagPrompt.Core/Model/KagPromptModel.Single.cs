using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Model;

namespace Microsoft.ML.KagPrompt;

/// <content>One image, and images without blocking the caller.</content>
public sealed partial class KagPromptModel
{
    /// <summary>Inspects one image; a higher score is more anomalous.</summary>
    /// <param name="image">An image of any size.</param>
    /// <param name="className">Its class; null stands for the model's only class, or for
    /// <see cref="InspectionOptions.DefaultClassName"/>.</param>
    /// <param name="atImageSize">False: the map is S × S. True: it has the image's own size.</param>
    /// <exception cref="ArgumentException">The class is not known.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public Inspection Inspect(PixelBuffer image, string? className = null, bool atImageSize = false)
    {
        ArgumentNullException.ThrowIfNull(image);
        return Inspect([image], [className], atImageSize)[0];
    }

    /// <summary>
    /// As <see cref="Inspect(IReadOnlyList{PixelBuffer}, IReadOnlyList{string}, bool)"/>, on the thread pool: callers that wait for their
    /// turn hold no thread.
    /// </summary>
    /// <param name="images">Images of any size; not to be changed until the task ends.</param>
    /// <param name="classNames">A class for each image; null stands for the model's only class, or for
    /// <see cref="InspectionOptions.DefaultClassName"/>.</param>
    /// <param name="atImageSize">False: maps are S × S. True: maps have each image's own size.</param>
    /// <param name="cancellationToken">Ends the wait, and the inspection between two runs of the networks (at most 8 images of one class
    /// each).</param>
    /// <returns>One result an image, in order; the same as the other gives.</returns>
    /// <exception cref="ArgumentException">At once: the lists differ in length, or a class is not known.</exception>
    /// <exception cref="OperationCanceledException">Of the task: it was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">Of the task: the model is disposed, or was before the last image's turn.</exception>
    public Task<IReadOnlyList<Inspection>> InspectAsync(IReadOnlyList<PixelBuffer> images, IReadOnlyList<string?> classNames,
        bool atImageSize = false, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(images);
        return InspectChunks(images, [.. Chunks(images, classNames)], atImageSize, cancellationToken);
    }

    private async Task<IReadOnlyList<Inspection>> InspectChunks(IReadOnlyList<PixelBuffer> images,
        (string Name, ClassState State, int[] Chunk)[] chunks, bool atImageSize, CancellationToken cancellationToken)
    {
        var results = new Inspection[images.Count];
        foreach (var (name, state, chunk) in chunks)
        {
            var turn = Network.Encoder.Turn;
            await turn.WaitAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                await Task.Run(() => InspectChunk(images, chunk, name, state, atImageSize, results), cancellationToken)
                    .ConfigureAwait(false);
            }
            finally
            {
                turn.Release();
            }
        }

        return results;
    }
}
