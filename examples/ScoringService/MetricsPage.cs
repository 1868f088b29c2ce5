using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace ScoringService;

/// <summary>
/// What this service and the library measure, as the page that Prometheus reads: counters, gauges, and sums and counts of histograms.
/// A service of yours may take OpenTelemetry's exporter in its place. Thread-safe.
/// </summary>
internal sealed class MetricsPage : IDisposable
{
    private readonly Lock sync = new();
    private readonly SortedDictionary<string, (Instrument Instrument, SortedDictionary<string, (double Sum, long Count)> Values)> instruments =
        new(StringComparer.Ordinal);
    private readonly MeterListener listener = new();

    public MetricsPage(IMeterFactory factory)
    {
        listener.InstrumentPublished = (instrument, me) =>
        {
            if (instrument.Meter.Name is ServiceMetrics.MeterName or "Microsoft.ML.KagPrompt" && ReferenceEquals(instrument.Meter.Scope, factory))
            {
                lock (sync)
                {
                    instruments[NameOf(instrument)] = (instrument, new(StringComparer.Ordinal));
                }

                me.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Note(instrument, value, tags));
        listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Note(instrument, value, tags));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Note(instrument, value, tags));
        listener.Start();
    }

    /// <summary>The text exposition format.</summary>
    public string ToText()
    {
        var text = new StringBuilder();
        lock (sync)
        {
            // Products that are gone are not observed again.
            foreach (var (_, (instrument, values)) in instruments)
            {
                if (instrument.IsObservable)
                {
                    values.Clear();
                }
            }

            listener.RecordObservableInstruments();
            foreach (var (name, (instrument, values)) in instruments)
            {
                var isHistogram = IsHistogram(instrument);
                var kind = isHistogram ? "summary" : instrument.IsObservable ? "gauge" : "counter";
                text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {instrument.Description}\n# TYPE {name} {kind}\n");
                foreach (var (labels, (sum, count)) in values)
                {
                    text.Append(CultureInfo.InvariantCulture, $"{name}{(isHistogram ? "_sum" : "")}{labels} {sum}\n");
                    text.Append(CultureInfo.InvariantCulture, $"{(isHistogram ? $"{name}_count{labels} {count}\n" : "")}");
                }
            }
        }

        return text.ToString();
    }

    public void Dispose() => listener.Dispose();

    private void Note(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = LabelsOf(tags);
        lock (sync)
        {
            var values = instruments[NameOf(instrument)].Values;
            var (sum, count) = values.GetValueOrDefault(labels);
            values[labels] = (sum + value, count + 1);
        }
    }

    private static string LabelsOf(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = new List<string>();
        foreach (var (key, value) in tags)
        {
            var text = Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
            labels.Add($"{key}=\"{text.Replace("\\", "\\\\").Replace("\"", "\\\"").Replace("\n", "\\n")}\"");
        }

        return labels.Count == 0 ? "" : $"{{{string.Join(',', labels)}}}";
    }

    private static string NameOf(Instrument instrument)
        => instrument.Name.Replace('.', '_') + (instrument.Unit == "s" ? "_seconds" : "") + (IsHistogram(instrument) || instrument.IsObservable ? "" : "_total");

    private static bool IsHistogram(Instrument instrument) => instrument is Histogram<double> or Histogram<int>;
}
