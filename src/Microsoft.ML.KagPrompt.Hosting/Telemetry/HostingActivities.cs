using System.Diagnostics;

namespace Microsoft.ML.KagPrompt.Hosting.Telemetry;

/// <summary>The activities of source <see cref="HostingMetrics.MeterName"/>: a request, and a batch that refers to its requests.</summary>
internal static class HostingActivities
{
    private static readonly ActivitySource Source = new(HostingMetrics.MeterName);

    public static Activity? StartRequest() => Source.StartActivity("kagprompt.inspect");

    public static Activity? StartBatch(string product, string version, IEnumerable<ActivityContext> requests)
    {
        if (!Source.HasListeners())
        {
            return null;
        }

        var links = requests.Where(request => request != default).Select(request => new ActivityLink(request));
        return Source.StartActivity(ActivityKind.Internal, name: "kagprompt.batch", links: links,
            tags: [new("kagprompt.product", product), new("kagprompt.model.version", version)]);
    }
}
