namespace Microsoft.ML.KagPrompt.Results.Retention;

/// <summary>Which results are too old to be kept, by the time of their inspection.</summary>
internal static class ResultLimits
{
    /// <summary>
    /// How much older than the limit a row must be to go. What is past the limit is not taken in any more, and a clock that is set back
    /// by less, or another process's that is behind by less, does not let in again what has gone.
    /// </summary>
    private static readonly TimeSpan Grace = TimeSpan.FromHours(1);

    /// <summary>Results before this are not taken in; null: all are.</summary>
    public static DateTime? RefusedBefore(this KagPromptResultsOptions options, TimeProvider time) => Before(options.ResultDays, time);

    /// <summary>Rows before this go unless they carry feedback; null: none goes.</summary>
    public static DateTime? RemovedBefore(this KagPromptResultsOptions options, TimeProvider time)
        => Before(options.ResultDays, time) - Grace;

    /// <summary>Rows before this go, feedback or not; null: none with feedback goes.</summary>
    public static DateTime? RemovedWithFeedbackBefore(this KagPromptResultsOptions options, TimeProvider time)
        => Before(options.ResultDaysWithFeedback, time) - Grace;

    private static DateTime? Before(double? days, TimeProvider time)
        => days is { } some ? time.GetUtcNow().UtcDateTime - TimeSpan.FromDays(some) : null;
}
