using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Microsoft.ML.KagPrompt.Numerics;

namespace ScoringService;

/// <summary>Counts requests, for Prometheus. Thread-safe.</summary>
internal sealed class ServiceMetrics
{
    private readonly ConcurrentDictionary<int, long> requests = new();
    private long anomalous;
    private long ticks;

    public void Scored(bool isAnomalous, TimeSpan duration)
    {
        requests.AddOrUpdate(200, 1, (_, count) => count + 1);
        Interlocked.Add(ref ticks, duration.Ticks);
        Interlocked.Add(ref anomalous, isAnomalous ? 1 : 0);
    }

    public void Refused(int status) => requests.AddOrUpdate(status, 1, (_, count) => count + 1);

    /// <summary>The text exposition format.</summary>
    public string ToText()
    {
        var text = new StringBuilder();
        text.Append("# HELP scoring_requests_total Answered requests to /score, by status code.\n# TYPE scoring_requests_total counter\n");
        foreach (var (status, count) in requests.OrderBy(entry => entry.Key))
        {
            text.Append(CultureInfo.InvariantCulture, $"scoring_requests_total{{code=\"{status}\"}} {count}\n");
        }

        text.Append("# HELP scoring_anomalous_total Images called anomalous.\n# TYPE scoring_anomalous_total counter\n");
        text.Append(CultureInfo.InvariantCulture, $"scoring_anomalous_total {Interlocked.Read(ref anomalous)}\n");
        text.Append("# HELP scoring_seconds Seconds from a scored request's arrival to its verdict.\n# TYPE scoring_seconds summary\n");
        text.Append(CultureInfo.InvariantCulture,
            $"scoring_seconds_sum {TimeSpan.FromTicks(Interlocked.Read(ref ticks)).TotalSeconds}\n"
                + $"scoring_seconds_count {requests.GetValueOrDefault(200)}\n");
        return text.ToString();
    }
}
