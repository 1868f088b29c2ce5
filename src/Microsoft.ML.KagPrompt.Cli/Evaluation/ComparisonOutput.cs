using System.Globalization;
using System.Text.Json;

namespace Microsoft.ML.KagPrompt.Cli.Evaluation;

/// <summary>A comparison on the console: a table, or JSON.</summary>
internal static class ComparisonOutput
{
    /// <summary>The ranking, and below it what could not be compared.</summary>
    public static void WriteTable(ComparisonResults results)
    {
        EvaluationTable.Write(
            ["rank", "method", .. results.Figures.Select(figure => figure.Title)],
            results.Methods.Select((method, i) => (IEnumerable<string>)
                [Rank(i), method.Name, .. results.Figures.Select(figure => figure.TextOf(method))]));
        foreach (var refused in results.Refused)
        {
            Console.WriteLine($"not compared: {refused.Name}. {refused.Reason}");
        }
    }

    /// <summary>{"ranked_by","methods":[…],"refused":[…],"notes":[…]}; shares in 0..1, null where a figure cannot be told.</summary>
    public static string Json(ComparisonResults results) => JsonSerializer.Serialize(
        new
        {
            RankedBy = results.IsByLabels ? "labels" : "left_out",
            Methods = results.Methods.Select((method, i) =>
            {
                var row = new Dictionary<string, object?> { ["rank"] = i + 1, ["method"] = method.Name };
                foreach (var figure in ComparisonFigure.ByLabels.Concat(ComparisonFigure.LeftOut).Concat(ComparisonFigure.Costs))
                {
                    row[figure.Name] = figure.Value(method);
                }

                row["support_images"] = method.Calibrations.ToDictionary(entry => entry.Key, entry => entry.Value.SupportImages);
                row["has_seen_left_out"] = method.HasSeenLeftOut;
                return row;
            }),
            Refused = results.Refused.Select(refused => new { Method = refused.Name, refused.Reason }),
            results.Notes,
        },
        EvaluationJson.Options);

    private static string Rank(int i) => (i + 1).ToString(CultureInfo.InvariantCulture);
}
