using Microsoft.ML.KagPrompt.Orleans.Silos;
using Microsoft.ML.KagPrompt.Results;

namespace Microsoft.ML.KagPrompt.Orleans.Lines;

/// <summary>
/// Counts what the database has of a line: an id once, whichever silos answered it and died since. Hours that are over for long are
/// counted once and remembered.
/// </summary>
internal sealed class LineCounter(IResultStore store, TimeProvider time)
{
    /// <summary>How long after its end an hour may still get results, of journals whose database was away.</summary>
    private static readonly TimeSpan Late = TimeSpan.FromHours(6);

    /// <summary>Whether it was counted; the database may be away.</summary>
    public async Task<bool> CountAsync(string line, LineState state)
    {
        try
        {
            var (before, from, beforeThat) = (state.Total, state.CountedTo, state.Counted);
            var hours = await store.CountByHourAsync(new ResultFilter { Line = line, From = from });
            var closed = time.GetUtcNow() - Late;
            closed = new DateTimeOffset(closed.Year, closed.Month, closed.Day, closed.Hour, 0, 0, TimeSpan.Zero);
            var (counted, total) = (beforeThat, beforeThat);
            foreach (var hour in hours)
            {
                total = total.Plus(hour.Total, hour.Anomalous, hour.Foreign);
                counted = hour.Hour < closed ? counted.Plus(hour.Total, hour.Anomalous, hour.Foreign) : counted;
            }

            // Answers that came while the database counted: it may have them or not. One too many for a while is mended by the next count
            // as one too few is, and nobody is told of fewer parts than passed.
            total = total.Plus(state.Total.Answered - before.Answered, state.Total.Anomalous - before.Anomalous,
                state.Total.Foreign - before.Foreign);
            (state.Counted, state.CountedTo, state.Total) = (counted, closed > from ? closed : from, total);
            return true;
        }
        catch (Exception fault) when (ResultKeeper.IsOfTheDatabase(fault))
        {
            return false;
        }
    }
}
