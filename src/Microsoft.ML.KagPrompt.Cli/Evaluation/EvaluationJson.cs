using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Cli.Evaluation;

/// <summary>Results as JSON: {"results":[…],"mean":{…}}, and "ablations" where there are any.</summary>
internal static class EvaluationJson
{
    public static readonly JsonSerializerOptions Options = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true, Converters = { new JsonStringEnumConverter() } };

    /// <summary>The metrics, by their names in JSON.</summary>
    public static readonly IReadOnlyList<(string Name, string Title, Func<CellResult, double?> Of)> Metrics =
    [
        ("image_auroc", "image AUROC", cell => cell.ImageAuroc), ("image_ap", "image AP", cell => cell.ImageAp), ("image_f1_max", "image F1", cell => cell.ImageF1Max),
        ("pixel_auroc", "pixel AUROC", cell => cell.PixelAuroc), ("pixel_ap", "pixel AP", cell => cell.PixelAp), ("aupro", "AUPRO", cell => cell.Aupro),
    ];

    public static string Write(IReadOnlyList<CellResult> results, IReadOnlyList<AblationRow> ablations)
    {
        var document = new Dictionary<string, object>
        {
            ["results"] = results,
            ["mean"] = Metrics.Append(("aupro_stepped", "", cell => cell.AuproStepped)).Append(("seconds_fit", "", cell => cell.SecondsFit)).Append(("seconds_per_image", "", cell => cell.SecondsPerImage))
                .ToDictionary(metric => metric.Item1, metric => Mean(results.Select(metric.Item3))),
        };
        if (ablations.Count > 0)
        {
            document["ablations"] = ablations.GroupBy(row => row.Ablation).Select(group => new { group.Key.Name, Points = group.Select(Point) });
        }

        return JsonSerializer.Serialize(document, Options);
    }

    private static object Point(AblationRow row) => new
    {
        Value = (object?)row.Point.Value ?? row.Point.Label,
        row.Summary.Dataset,
        row.Summary.Shots,
        Mean = Metrics.Select((metric, i) => (metric.Name, row.Summary.Metrics[i].Mean)).ToDictionary(),
        Deviation = Metrics.Select((metric, i) => (metric.Name, row.Summary.Metrics[i].Deviation)).ToDictionary(),
    };

    /// <summary>The mean of what is known; null where nothing is.</summary>
    public static double? Mean(IEnumerable<double?> values)
    {
        var known = values.OfType<double>().ToArray();
        return known.Length > 0 ? known.Average() : null;
    }
}
