using System.Globalization;
using Microsoft.Extensions.Localization;
using Microsoft.ML.KagPrompt.Station.Accounts;
using Answers = Microsoft.AspNetCore.Http.Results;

namespace Microsoft.ML.KagPrompt.Station.Reports;

/// <summary>GET /report.pdf.</summary>
internal static class ReportEndpoint
{
    public static void MapReport(this IEndpointRouteBuilder station) => station.MapGet("/report.pdf",
        async (string product, string from, int hours,
        ShiftReports reports, ReportPictures pictures, IStringLocalizer<Texts> texts, TimeProvider time, CancellationToken stop) =>
    {
        if (!DateTimeOffset.TryParseExact(from, "yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal,
            out var begin))
        {
            return Answers.Problem("from: expected yyyy-MM-ddTHH:mm:ssZ.", statusCode: StatusCodes.Status400BadRequest);
        }

        try
        {
            var report = await reports.MakeAsync(product, begin, hours, stop);
            var files = new List<byte[]?>();
            foreach (var result in report.Worst)
            {
                files.Add(await pictures.ReadAsync(result, stop));
            }

            // The browser's name for it is made of the time alone: a product's name is not ours.
            return Answers.File(PdfReport.Write(report, files, texts, time), "application/pdf",
                $"shift-{begin.ToString("yyyyMMdd-HHmm", CultureInfo.InvariantCulture)}.pdf");
        }
        catch (Exception fault) when (fault is ArgumentException or InvalidOperationException)
        {
            return Answers.Problem(fault.Message, statusCode: StatusCodes.Status422UnprocessableEntity);
        }
    }).RequireAuthorization(StationRoles.Operator);
}
