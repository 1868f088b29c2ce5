using System.Diagnostics.Metrics;

namespace ScoringService;

/// <summary>Counts answers by HTTP status. Thread-safe.</summary>
internal sealed class ServiceMetrics
{
    public const string MeterName = "ScoringService";

    private readonly Counter<long> requests, anomalous;
    private readonly Histogram<double> duration;

    public ServiceMetrics(IMeterFactory factory)
    {
        var meter = factory.Create(MeterName);
        requests = meter.CreateCounter<long>("scoring.requests", null, "Answered requests to /score, by status code.");
        anomalous = meter.CreateCounter<long>("scoring.anomalous", null, "Images called anomalous.");
        duration = meter.CreateHistogram<double>("scoring", "s", "Seconds from a scored request's arrival to its verdict.");
    }

    public void Scored(bool isAnomalous, TimeSpan elapsed)
    {
        requests.Add(1, new KeyValuePair<string, object?>("code", StatusCodes.Status200OK));
        anomalous.Add(isAnomalous ? 1 : 0);
        duration.Record(elapsed.TotalSeconds);
    }

    public void Refused(int status) => requests.Add(1, new KeyValuePair<string, object?>("code", status));
}
