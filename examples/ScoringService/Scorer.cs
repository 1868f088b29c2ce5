using System.Runtime.CompilerServices;
using Microsoft.ML;
using Microsoft.ML.KagPrompt;

namespace ScoringService;

/// <summary>
/// A loaded model, and a bound on how many pictures are read at once: the model may be called from any thread, but what is decoded takes memory.
/// Owns the model.
/// </summary>
internal sealed class Scorer : IDisposable
{
    // Pictures above it are read one at a time, and their memory is given back at once: it would stay with the process otherwise.
    private const long Large = 16_000_000;

    private readonly SemaphoreSlim readers;
    private readonly SemaphoreSlim largeOnes = new(1);
    private readonly KagPromptTransformer transformer;

    private Scorer(KagPromptTransformer transformer, int atOnce) => (this.transformer, readers) = (transformer, new SemaphoreSlim(atOnce));

    public IReadOnlyCollection<string> ClassNames => transformer.Model.ClassNames;

    /// <summary>Reads a model zip.</summary>
    /// <param name="path">The zip.</param>
    /// <param name="atOnce">Pictures that are read at once; further ones wait.</param>
    public static Scorer Load(string path, int atOnce)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(atOnce, 1);
        // The zip loads images from paths; here they come as bytes, so only its last part is used.
        return new Scorer(KagPromptTransformer.FindIn(new MLContext().Model.Load(path, out _)), atOnce);
    }

    /// <summary>Scores an image file's bytes.</summary>
    /// <exception cref="Microsoft.ML.KagPrompt.Diagnostics.ImageReadException">They are no image, or one that is too large.</exception>
    /// <exception cref="ArgumentException">The class is not known.</exception>
    public async Task<Verdict> ScoreAsync(byte[] image, string? className, CancellationToken aborted)
    {
        var name = className ?? ClassNames.First();
        var calibration = transformer.Calibration(name);
        var picture = await ReadAsync(image, name, aborted);
        var verdict = (await transformer.Model.InspectAsync([picture], [name], cancellationToken: aborted))[0];
        // Of a foreign image the score says nothing, nor what is made of it.
        float? probability = verdict.IsForeign || float.IsNaN(verdict.Probability) ? null : verdict.Probability;
        float? threshold = float.IsNaN(calibration.Threshold) ? null : calibration.Threshold;
        return new Verdict(verdict.Score, probability, verdict.IsAnomalous, threshold, verdict.IsForeign);
    }

    public void Dispose()
    {
        transformer.Dispose();
        readers.Dispose();
        largeOnes.Dispose();
    }

    /// <summary>The picture at the model's size: while it waits for its turn, nothing larger is held.</summary>
    private async Task<PixelBuffer> ReadAsync(byte[] image, string className, CancellationToken aborted)
    {
        // Before it is decoded: a small body may promise a huge image. To see that a body is whole, some kinds are decoded even here.
        await readers.WaitAsync(aborted);
        ImageFileInfo info;
        try
        {
            info = ImageCodec.Check(image, "The body", transformer.Options.Images.MaxPixels);
        }
        finally
        {
            readers.Release();
        }

        var places = (long)info.Width * info.Height > Large ? largeOnes : readers;
        await places.WaitAsync(aborted);
        try
        {
            return AtModelSize(image, className);
        }
        finally
        {
            if (places == largeOnes)
            {
                GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            }

            places.Release();
        }
    }

    // Of its own, so that the large picture is out of reach when it returns.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private PixelBuffer AtModelSize(byte[] image, string className)
    {
        var options = transformer.Options.Images;
        return transformer.Model.ToModelSize(ImageCodec.Read(image, "The body", options.MaxPixels, options.Orientation), className);
    }
}
