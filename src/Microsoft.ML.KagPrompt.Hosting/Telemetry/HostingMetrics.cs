using System.Diagnostics.Metrics;

namespace Microsoft.ML.KagPrompt.Hosting.Telemetry;

/// <summary>The instruments of meter <see cref="MeterName"/>. Products are labels only where they are served.</summary>
/// <remarks>Thread-safe. The factory owns the meter.</remarks>
internal sealed class HostingMetrics
{
    public const string MeterName = "Microsoft.ML.KagPrompt";

    private readonly Meter meter;
    private readonly Counter<long> requests, swaps;
    private readonly Histogram<double> duration, wait, batchDuration;
    private readonly Histogram<int> batchSize;

    public HostingMetrics(IMeterFactory factory)
    {
        meter = factory.Create(MeterName);
        requests = meter.CreateCounter<long>("kagprompt.requests", "{request}", "Requests that ended, by product and outcome.");
        duration = meter.CreateHistogram<double>("kagprompt.request.duration", "s", "Seconds from a request's arrival to its end.");
        wait = meter.CreateHistogram<double>("kagprompt.queue.wait", "s", "Seconds from a decoded image's queueing to its batch.");
        batchSize = meter.CreateHistogram<int>("kagprompt.batch.size", "{image}", "Images inspected together.");
        batchDuration = meter.CreateHistogram<double>("kagprompt.batch.duration", "s", "Seconds that a batch took.");
        swaps = meter.CreateCounter<long>("kagprompt.model.swaps", "{swap}", "Models swapped, failed and unloaded, by product.");
    }

    public static string OutcomeOf(RefusalReason reason) => reason switch
    {
        RefusalReason.QueueFull => "queue_full",
        RefusalReason.Stopping => "stopping",
        RefusalReason.ProductUnknown => "product_unknown",
        _ => "model_unavailable",
    };

    /// <summary>Has the queues' lengths read whenever someone collects.</summary>
    public void ObserveQueues(Func<IEnumerable<(string Product, int Waiting)>> read)
        => meter.CreateObservableUpDownCounter("kagprompt.queue.length",
            () => read().Select(queue => new Measurement<int>(queue.Waiting, ProductTag(queue.Product))), "{request}",
            "Requests that wait, being read, decoded or queued.");

    /// <param name="product">Null: it is not known, whatever the client called it.</param>
    /// <param name="outcome">"good", "anomalous", "bad_image", "cancelled", "failed" or a refusal's reason.</param>
    /// <param name="elapsed">Since its arrival.</param>
    public void Ended(string? product, string outcome, TimeSpan elapsed)
    {
        var (tag, outcomeTag) = (ProductTag(product ?? ""), new KeyValuePair<string, object?>("outcome", outcome));
        requests.Add(1, tag, outcomeTag);
        duration.Record(elapsed.TotalSeconds, tag, outcomeTag);
    }

    public void Waited(string product, TimeSpan elapsed) => wait.Record(elapsed.TotalSeconds, ProductTag(product));

    public void Inspected(string product, int images, TimeSpan elapsed, bool isFailed)
    {
        batchSize.Record(images, ProductTag(product));
        batchDuration.Record(elapsed.TotalSeconds, ProductTag(product), new KeyValuePair<string, object?>("outcome", isFailed ? "failed" : "ok"));
    }

    public void Swapped(string product, string outcome)
        => swaps.Add(1, ProductTag(product), new KeyValuePair<string, object?>("outcome", outcome));

    private static KeyValuePair<string, object?> ProductTag(string product) => new("product", product);
}
