namespace Microsoft.ML.KagPrompt.Results.Retention;

/// <summary>Which results are too old to be kept, by the time of their inspection and the <see cref="ResultClock"/>.</summary>
internal static class ResultLimits
{
    /// <summary>
    /// How much older than the limit a row must be to go. What is past the limit is not taken in any more, and a clock that is set back
    /// by less, or another process's that is behind by less, does not let in again what has gone.
    /// </summary>
    private static readonly TimeSpan Grace = TimeSpan.FromHours(1);

    /// <summary>Results before this are not taken in; null: all are.</summary>
    public static DateTime? RefusedBefore(this KagPromptResultsOptions options, DateTime now) => Before(options.ResultDays, now);

    /// <summary>Rows before this go unless they carry feedback; null: none goes.</summary>
    public static DateTime? RemovedBefore(this KagPromptResultsOptions options, DateTime now) => Before(options.ResultDays, now) - Grace;

    /// <summary>Rows before this go, feedback or not; null: none with feedback goes.</summary>
    public static DateTime? RemovedWithFeedbackBefore(this KagPromptResultsOptions options, DateTime now)
        => Before(options.ResultDaysWithFeedback, now) - Grace;

    private static DateTime? Before(double? days, DateTime now) => days is { } some ? now - TimeSpan.FromDays(some) : null;
}
