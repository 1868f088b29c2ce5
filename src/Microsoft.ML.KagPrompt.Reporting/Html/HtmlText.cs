using System.Globalization;
using System.Net;

namespace Microsoft.ML.KagPrompt.Reporting.Html;

/// <summary>Text and numbers as they may stand in HTML, within elements and in double-quoted attributes.</summary>
internal static class HtmlText
{
    public const string Unknown = "–";

    public static string Encode(string text) => WebUtility.HtmlEncode(text);

    /// <summary>Scores and metrics.</summary>
    public static string Encode(double value, string format = "0.000")
        => double.IsNaN(value) ? Unknown : value.ToString(format, CultureInfo.InvariantCulture);

    public static string Percent(double share)
        => double.IsNaN(share) ? Unknown : string.Create(CultureInfo.InvariantCulture, $"{100 * share:0.#} %");

    /// <summary>A coordinate of a drawing.</summary>
    public static string At(double value) => value.ToString("0.####", CultureInfo.InvariantCulture);
}
