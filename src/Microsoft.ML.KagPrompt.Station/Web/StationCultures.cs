using System.Globalization;

namespace Microsoft.ML.KagPrompt.Station.Web;

/// <summary>
/// The languages, and how they write numbers and times. Their own, so that they are the same where the system has no ICU.
/// </summary>
internal static class StationCultures
{
    public static readonly CultureInfo English = Make("en", "yyyy-MM-dd", ".", ",", "%");
    public static readonly CultureInfo German = Make("de", "dd.MM.yyyy", ",", ".", " %");

    public static readonly CultureInfo[] All = [English, German];

    private static CultureInfo Make(string name, string date, string point, string group, string percent)
    {
        var culture = new CultureInfo(name);
        var (numbers, times) = (culture.NumberFormat, culture.DateTimeFormat);
        numbers.NumberDecimalSeparator = numbers.PercentDecimalSeparator = numbers.CurrencyDecimalSeparator = point;
        numbers.NumberGroupSeparator = numbers.PercentGroupSeparator = numbers.CurrencyGroupSeparator = group;
        // "12%" or "12 %".
        numbers.PercentPositivePattern = percent.Length == 1 ? 1 : 0;
        numbers.PercentNegativePattern = percent.Length == 1 ? 1 : 0;
        numbers.NegativeSign = "-";
        times.ShortDatePattern = date;
        times.LongDatePattern = date;
        times.ShortTimePattern = "HH:mm";
        times.LongTimePattern = "HH:mm:ss";
        return CultureInfo.ReadOnly(culture);
    }
}
