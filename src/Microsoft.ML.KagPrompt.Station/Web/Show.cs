using System.Globalization;

namespace Microsoft.ML.KagPrompt.Station.Web;

/// <summary>Numbers and times as the user's culture writes them.</summary>
internal static class Show
{
    /// <summary>In the station's time zone.</summary>
    public static string Time(DateTimeOffset time, TimeProvider clock)
        => TimeZoneInfo.ConvertTime(time, clock.LocalTimeZone).ToString("G", CultureInfo.CurrentCulture);

    public static string Score(double value) => double.IsNaN(value) ? "–" : value.ToString("0.000", CultureInfo.CurrentCulture);

    public static string Percent(double share) => double.IsNaN(share) ? "–" : share.ToString("P0", CultureInfo.CurrentCulture);

    public static string Number(double value, string format = "N0") => value.ToString(format, CultureInfo.CurrentCulture);

    public static string Milliseconds(TimeSpan? span) => span is { } time
        ? $"{time.TotalMilliseconds.ToString("N0", CultureInfo.CurrentCulture)} ms" : "–";
}
