namespace Microsoft.ML.KagPrompt.Results.Database;

/// <summary>Filters, orders and pages as questions to a database.</summary>
internal static class ResultQueries
{
    public static IQueryable<ResultRow> Matching(this IQueryable<ResultRow> rows, ResultFilter filter)
    {
        if (filter.Product is { } product)
        {
            rows = rows.Where(row => row.Product == product);
        }

        if (filter.From is { } from)
        {
            var first = from.UtcDateTime;
            rows = rows.Where(row => row.Time >= first);
        }

        if (filter.To is { } to)
        {
            var end = to.UtcDateTime;
            rows = rows.Where(row => row.Time < end);
        }

        if (filter.Feedback is { } feedback)
        {
            rows = rows.Where(row => row.Feedback == feedback);
        }

        if (filter.Line is { } line)
        {
            rows = rows.Where(row => row.Line == line);
        }

        if (filter.Station is { } station)
        {
            rows = rows.Where(row => row.Station == station);
        }

        return filter.Verdict switch
        {
            null => rows,
            ResultVerdict.Passed => rows.Where(row => !row.IsAnomalous),
            ResultVerdict.Anomalous => rows.Where(row => row.IsAnomalous),
            ResultVerdict.Foreign => rows.Where(row => row.IsForeign),
            var other => throw new ArgumentException($"Verdict: expected Passed, Anomalous or Foreign, got {other}.", nameof(filter)),
        };
    }

    public static IQueryable<ResultRow> After(this IQueryable<ResultRow> rows, PageKey key)
    {
        var (time, score, id) = (key.Time, key.Score, key.Id);
        return key.Order switch
        {
            ResultOrder.Newest => rows.Where(row => row.Time <= time && (row.Time < time || row.Id < id)),
            ResultOrder.Oldest => rows.Where(row => row.Time >= time && (row.Time > time || row.Id > id)),
            _ => rows.Where(row => row.Score <= score && (row.Score < score || row.Id < id)),
        };
    }

    public static IQueryable<ResultRow> InOrder(this IQueryable<ResultRow> rows, ResultOrder order) => order switch
    {
        ResultOrder.Newest => rows.OrderByDescending(row => row.Time).ThenByDescending(row => row.Id),
        ResultOrder.Oldest => rows.OrderBy(row => row.Time).ThenBy(row => row.Id),
        ResultOrder.WorstFirst => rows.OrderByDescending(row => row.Score).ThenByDescending(row => row.Id),
        _ => throw new ArgumentException($"Order: expected Newest, Oldest or WorstFirst, got {order}.", nameof(order)),
    };
}
