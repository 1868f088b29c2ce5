using System.Collections.Concurrent;
using Microsoft.ML;
using Microsoft.ML.KagPrompt;
using Microsoft.ML.KagPrompt.Numerics;

namespace ScoringService;

/// <summary>A loaded model and a pool of prediction engines on it: an engine is not thread-safe, the model is. Owns both.</summary>
internal sealed class Scorer : IDisposable
{
    private readonly ConcurrentBag<PredictionEngine<Photograph, Prediction>> idle = [];
    private readonly SemaphoreSlim free;
    private readonly ITransformer loaded;
    private readonly KagPromptTransformer transformer;

    private Scorer(MLContext ml, ITransformer loaded, int engines)
    {
        (this.loaded, free) = (loaded, new SemaphoreSlim(engines));
        // The zip loads images from paths; here they come as bytes, so only its last part is used.
        transformer = KagPromptTransformer.FindIn(loaded);
        for (var i = 0; i < engines; i++)
        {
            // Disposing an engine must leave the model to the others.
            idle.Add(ml.Model.CreatePredictionEngine<Photograph, Prediction>(
                transformer, new PredictionEngineOptions { OwnsTransformer = false }));
        }
    }

    public IReadOnlyCollection<string> ClassNames => transformer.Model.ClassNames;

    /// <summary>Reads a model zip; more engines let more requests decode and wait at once.</summary>
    public static Scorer Load(string path, int engines)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(engines, 1);
        var ml = new MLContext();
        return new Scorer(ml, ml.Model.Load(path, out _), engines);
    }

    /// <summary>Scores an image file's bytes.</summary>
    /// <exception cref="Microsoft.ML.KagPrompt.Diagnostics.ImageReadException">They are no image, or one that is too large.</exception>
    /// <exception cref="ArgumentException">The class is not known.</exception>
    public async Task<Verdict> ScoreAsync(byte[] image, string? className, CancellationToken aborted)
    {
        var calibration = transformer.Calibration(className);
        // Before a decoder gives it memory: a small body may promise a huge image.
        ImageCodec.Check(image, "The body", transformer.Options.Images.MaxPixels);
        await free.WaitAsync(aborted);
        var engine = idle.TryTake(out var taken) ? taken : throw new InvalidOperationException("There are fewer engines than places.");
        try
        {
            var prediction = engine.Predict(new Photograph(image, className ?? ClassNames.First()));
            // Of a foreign image the score says nothing, nor what is made of it.
            float? probability = prediction.IsForeign || float.IsNaN(prediction.Probability) ? null : prediction.Probability;
            float? threshold = float.IsNaN(calibration.Threshold) ? null : calibration.Threshold;
            return new Verdict(prediction.Score, probability, prediction.PredictedLabel, threshold, prediction.IsForeign);
        }
        finally
        {
            idle.Add(engine);
            free.Release();
        }
    }

    public void Dispose()
    {
        foreach (var engine in idle)
        {
            engine.Dispose();
        }

        (loaded as IDisposable)?.Dispose();
        free.Dispose();
    }
}
