using Microsoft.Extensions.Localization;
using Microsoft.ML.KagPrompt.Station.Web;

namespace Microsoft.ML.KagPrompt.Station.Reports;

/// <summary>The lines of a report, the same on the page and on paper.</summary>
internal static class ReportWords
{
    private const int MostVersions = 3;

    public static IReadOnlyList<(string Name, string Value)> Facts(ShiftReport report, IStringLocalizer T, TimeProvider time) =>
    [
        (T["Product"], report.Product),
        (T["From"], Show.Time(report.From, time)),
        (T["To"], Show.Time(report.To, time)),
        (T["Inspected"], Show.Number(report.Total)),
        (T["Rejected"], $"{Show.Number(report.Rejected)} ({Show.Percent(Share(report))})"),
        (T["Other parts among them"], Show.Number(report.Foreign)),
        (T["Reviewed: right"], Show.Number(report.Confirmed)),
        (T["Reviewed: false alarms"], Show.Number(report.FalseAlarms)),
        (T["Reviewed: missed"], Show.Number(report.Missed)),
        (T["Versions of the model"], Versions(report.Versions)),
    ];

    private static double Share(ShiftReport report) => report.Total == 0 ? double.NaN : (double)report.Rejected / report.Total;

    // In the width of a page.
    private static string Versions(IReadOnlyList<string> versions) => versions.Count == 0 ? "–"
        : string.Join(", ", versions.TakeLast(MostVersions)) + (versions.Count > MostVersions ? $", +{versions.Count - MostVersions}" : "");
}
