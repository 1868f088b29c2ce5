using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Cli.Evaluation;

/// <summary>
/// Results as JSON: {"results":[…],"mean":{…}}, of several methods "means" by method, and "ablations" where there are any.
/// </summary>
internal static class EvaluationJson
{
    public static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        Converters = { new JsonStringEnumConverter() },
    };

    public static string Write(IReadOnlyList<FewShotCell> results, IReadOnlyList<AblationSummary> ablations)
    {
        var document = new Dictionary<string, object>
        {
            ["results"] = results,
            ["mean"] = Means(results.GroupBy(cell => cell.Method).First()),
        };
        if (results.DistinctBy(cell => cell.Method).Count() > 1)
        {
            // With several methods, "mean" would be of none of them.
            document.Remove("mean");
            document["means"] = results.GroupBy(cell => cell.Method).ToDictionary(method => method.Key, Means);
        }

        if (ablations.Count > 0)
        {
            document["ablations"] = ablations.GroupBy(row => row.Ablation)
                .Select(group => new { group.Key.Name, Points = group.Select(Point) });
        }

        return JsonSerializer.Serialize(document, Options);
    }

    private static Dictionary<string, double?> Means(IEnumerable<FewShotCell> results)
        => FewShotMetric.All.ToDictionary(metric => metric.Name, metric => Mean(results.Select(metric.Value)));

    private static object Point(AblationSummary row) => new
    {
        Value = (object?)row.Point.Value ?? row.Point.Label,
        row.Summary.Dataset,
        row.Summary.Shots,
        Mean = FewShotMetric.Ranking.ToDictionary(metric => metric.Name, metric => row.Summary.Figures[metric.Name].Mean),
        Deviation = FewShotMetric.Ranking.ToDictionary(metric => metric.Name, metric => row.Summary.Figures[metric.Name].Deviation),
    };

    /// <summary>The mean of what is known; null where nothing is.</summary>
    private static double? Mean(IEnumerable<double?> values)
    {
        var known = values.OfType<double>().ToArray();
        return known.Length > 0 ? known.Average() : null;
    }
}
