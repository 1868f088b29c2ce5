using System.Text;
using static Microsoft.ML.KagPrompt.Reporting.Html.HtmlText;

namespace Microsoft.ML.KagPrompt.Reporting.Html;

/// <summary>The images with pictures, worst first, each with a slider that reveals the overlay; and the list of all.</summary>
internal static class Gallery
{
    private const int MostRows = 5000;

    private static readonly (ReportOutcome Outcome, string Title, string Order)[] Groups =
    [
        (ReportOutcome.MissedDefect, "Missed defects", "Defective and accepted, lowest score first."),
        (ReportOutcome.FalseAlarm, "False alarms", "Good and rejected, highest score first."),
        (ReportOutcome.NotLabelled, "Not labelled", "Those unlike every support image first, then the highest score."),
        (ReportOutcome.FoundDefect, "Found defects", "Closest to the threshold first."),
        (ReportOutcome.AcceptedGood, "Accepted good parts", "Closest to the threshold first."),
        (ReportOutcome.Unreadable, "Could not be scored", ""),
    ];

    public static void Write(TextWriter writer, IReadOnlyList<ReportItem> worstFirst)
    {
        foreach (var (outcome, title, order) in Groups)
        {
            var all = worstFirst.Where(item => item.Outcome == outcome).ToArray();
            var shown = all.Where(item => item.Picture is not null).ToArray();
            if (shown.Length > 0)
            {
                var number = shown.Length < all.Length
                    ? $"{shown.Length} of {all.Length} are shown."
                    : $"{all.Length} image{(all.Length == 1 ? "" : "s")}.";
                writer.WriteLine($"<h2>{title}</h2><p class=\"soft\">{order} {number}</p><div class=\"cards\">");
                foreach (var item in shown)
                {
                    writer.WriteLine(Card(item, item.Picture!));
                }

                writer.WriteLine("</div>");
            }
        }
    }

    /// <summary>All images by name, folded.</summary>
    public static void WriteList(TextWriter writer, IReadOnlyList<ReportItem> worstFirst)
    {
        var shown = Math.Min(worstFirst.Count, MostRows);
        var which = shown < worstFirst.Count ? $"The worst {shown} of {worstFirst.Count}" : "All";
        writer.WriteLine($"<details class=\"list\"><summary>{which} images by name</summary><div class=\"scroll\"><table>"
            + "<tr><th>image</th><th>outcome</th><th>score</th><th>threshold</th><th>chance</th></tr>");
        foreach (var item in worstFirst.Take(MostRows))
        {
            var outcome = OutcomeOf(item) + (item.IsForeign ? $": {Encode(Inspection.ForeignWord)}" : "");
            writer.WriteLine($"<tr><td>{Encode(item.Name)}</td><td>{outcome}</td><td>{Encode(item.Score, "0.0000")}</td>"
                + $"<td>{Encode(item.Calibration.Threshold, "0.0000")}</td><td>{ChanceOf(item)}</td></tr>");
        }

        writer.WriteLine("</table></div></details>");
    }

    /// <summary>Images that could not be scored, with the reason.</summary>
    public static string Faults(IReadOnlyList<ReportItem> items)
    {
        var faults = items.Where(item => item.Fault is not null)
            .Take(MostRows)
            .Select(item => $"<li>{Encode(item.Name)}: {Encode(item.Fault!)}</li>")
            .ToArray();
        return faults.Length == 0 ? "" : $"<h2>Could not be scored</h2><ul>{string.Concat(faults)}</ul>";
    }

    private static string Card(ReportItem item, ReportPicture picture)
    {
        var (name, isRejected) = (Encode(item.Name), item.IsRejected);
        // A tall image is shown as high as the others, not as wide.
        var widest = (double)ReportPicture.LongestSide * picture.Width / Math.Max(picture.Width, picture.Height);
        var html = new StringBuilder("<article class=\"card\">");
        html.Append($"<div class=\"view\" style=\"aspect-ratio:{picture.Width}/{picture.Height};max-width:{At(widest)}px\">");
        html.Append($"<img alt=\"{name}\" src=\"{Data(picture.Image)}\">");
        html.Append($"<img class=\"over\" alt=\"Anomaly map of {name}\" src=\"{Data(picture.Overlay)}\"></div>");
        html.Append("<label class=\"slide\">image<input type=\"range\" min=\"0\" max=\"100\" value=\"100\" autocomplete=\"off\"");
        html.Append($" aria-label=\"Overlay of {name}\">overlay</label><p class=\"name\">{name}</p>");
        var verdict = isRejected ? "rejected" : "accepted";
        html.Append($"<p><span class=\"verdict {verdict}\">{verdict}</span>, score {Encode(item.Score, "0.0000")}</p>");
        html.Append(item.IsForeign ? $"<p>{Encode(Inspection.ForeignWord)}</p>" : "");
        return html.Append($"<p class=\"soft\">chance of a defect {ChanceOf(item)}</p></article>").ToString();
    }

    private static string OutcomeOf(ReportItem item) => item.Outcome switch
    {
        ReportOutcome.MissedDefect => "missed defect",
        ReportOutcome.FalseAlarm => "false alarm",
        ReportOutcome.FoundDefect => "found defect",
        ReportOutcome.AcceptedGood => "accepted, good",
        ReportOutcome.NotLabelled => item.IsRejected ? "rejected" : "accepted",
        _ => "could not be scored",
    };

    /// <summary>The score's alone: of a foreign image it says nothing.</summary>
    private static string ChanceOf(ReportItem item)
        => item.Calibration.ProbabilityOf(item.Score) is var chance && (float.IsNaN(chance) || item.IsForeign) ? Unknown
            : chance < 0.01f ? "below 1 %"
            : chance > 0.99f ? "above 99 %"
            : Percent(Math.Round(chance, 2));

    private static string Data(byte[] file) => $"data:image/{(file is [0x89, ..] ? "png" : "jpeg")};base64,{Convert.ToBase64String(file)}";
}
