namespace Microsoft.ML.KagPrompt.Fitting;

/// <summary>Stamps progress reports with the seconds since the fit began.</summary>
internal sealed class ProgressClock(IProgress<TrainingProgress>? progress)
{
    private readonly long start = TimeProvider.System.GetTimestamp();

    public void Report(TrainingProgress report)
        => progress?.Report(report with { Seconds = TimeProvider.System.GetElapsedTime(start).TotalSeconds });

    public void Report(string phase, int done, int total) => Report(new TrainingProgress(phase, done, total));
}
