namespace Microsoft.ML.KagPrompt;

/// <summary>Where a fit stands; reported once a step and at the start of each phase.</summary>
/// <param name="Phase">"features", "synthesis", "training", "memory" or "threshold".</param>
/// <param name="Done">Finished units of the phase (images or steps).</param>
/// <param name="Total">Units of the phase; 0 where it is not known yet.</param>
public sealed record TrainingProgress(string Phase, int Done, int Total)
{
    /// <summary>Epoch under way, from 1; 0 outside training.</summary>
    public int Epoch { get; init; }

    /// <summary>Cross-entropy, focal and dice parts of the step's loss (equation 17); NaN outside training.</summary>
    public (float CrossEntropy, float Focal, float Dice) Loss { get; init; } = (float.NaN, float.NaN, float.NaN);

    /// <summary>Share of pixels whose averaged map at 0.5 agrees with the mask, in 0..1; NaN outside training.</summary>
    public float PixelAccuracy { get; init; } = float.NaN;

    /// <summary>Seconds since the fit began.</summary>
    public double Seconds { get; init; }
}
