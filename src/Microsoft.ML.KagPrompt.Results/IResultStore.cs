namespace Microsoft.ML.KagPrompt.Results;

/// <summary>What was recorded, asked of the database. What waits in the journal is not seen yet (<see cref="ResultRecorder.Pending"/>).</summary>
/// <remarks>
/// Thread-safe. While the database is away every member throws what its driver does (<see cref="System.Data.Common.DbException"/>, also as the cause
/// of another exception); of a newer version, <see cref="ResultStoreException"/>.
/// </remarks>
public interface IResultStore
{
    /// <summary>One result; null: there is none with this id.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="cancellationToken">Ends the question.</param>
    Task<StoredResult?> FindAsync(Guid id, CancellationToken cancellationToken = default);

    /// <summary>A page of results. Pages go on after a key: what comes meanwhile neither repeats nor hides a result.</summary>
    /// <param name="filter">Which.</param>
    /// <param name="order">In which order.</param>
    /// <param name="pageSize">Most results, 1 to 1000.</param>
    /// <param name="after"><see cref="ResultPage.Next"/> of the page before, asked with the same filter and order; null: the first page.</param>
    /// <param name="cancellationToken">Ends the question.</param>
    /// <exception cref="ArgumentException"><paramref name="pageSize"/> is out of range, or <paramref name="after"/> is of no such page.</exception>
    Task<ResultPage> QueryAsync(ResultFilter filter, ResultOrder order = ResultOrder.Newest, int pageSize = 100, string? after = null,
        CancellationToken cancellationToken = default);

    /// <summary>All results of a filter, read page by page.</summary>
    /// <param name="filter">Which.</param>
    /// <param name="order">In which order.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    IAsyncEnumerable<StoredResult> StreamAsync(ResultFilter filter, ResultOrder order = ResultOrder.Oldest,
        CancellationToken cancellationToken = default);

    /// <summary>Notes what a person says. What was said before stays in the history.</summary>
    /// <param name="id">Of which result.</param>
    /// <param name="kind">What; <see cref="FeedbackKind.None"/> takes it back.</param>
    /// <param name="by">Who, 1 to 100 characters.</param>
    /// <param name="cancellationToken">Ends the writing.</param>
    /// <returns>Whether there is such a result; a recorded one may still wait in the journal.</returns>
    /// <exception cref="ArgumentException">
    /// <paramref name="by"/> is no name; a false alarm of a part that was passed, or a miss of one that was rejected.
    /// </exception>
    Task<bool> SetFeedbackAsync(Guid id, FeedbackKind kind, string by, CancellationToken cancellationToken = default);

    /// <summary>All that was said of a result, the first saying first.</summary>
    /// <param name="id">Of which result.</param>
    /// <param name="cancellationToken">Ends the question.</param>
    Task<IReadOnlyList<FeedbackEntry>> FeedbackHistoryAsync(Guid id, CancellationToken cancellationToken = default);

    /// <summary>How many results each hour had, the first hour first; hours without results are left out.</summary>
    /// <param name="filter">Which.</param>
    /// <param name="cancellationToken">Ends the question.</param>
    Task<IReadOnlyList<HourlyCount>> CountByHourAsync(ResultFilter filter, CancellationToken cancellationToken = default);

    /// <summary>Quantiles of the scores, exact, between neighbours in a straight line. Foreign pictures count unless the filter says otherwise.</summary>
    /// <param name="filter">Which.</param>
    /// <param name="shares">At most 100 numbers, 0 (the lowest score) to 1 (the highest).</param>
    /// <param name="cancellationToken">Ends the question.</param>
    /// <returns>A score for each share; empty where there are no results.</returns>
    /// <exception cref="ArgumentException">A share is out of range, or there are too many.</exception>
    Task<IReadOnlyList<double>> QuantilesAsync(ResultFilter filter, IReadOnlyList<double> shares, CancellationToken cancellationToken = default);
}
