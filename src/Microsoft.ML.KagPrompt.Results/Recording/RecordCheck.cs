using System.Globalization;
using System.Text;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Results.Files;

namespace Microsoft.ML.KagPrompt.Results.Recording;

/// <summary>What is let in: values that both databases keep as they are.</summary>
internal static class RecordCheck
{
    public const int MostOfAName = 100;
    public const int MostOfAProduct = 200;
    public const int MostOfAReason = 500;

    // The year 1 and the year 9999 have no time zone around them; PostgreSQL's own infinity lies there.
    private static readonly DateTimeOffset Earliest = new(1970, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Latest = new(9000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>The record with times in UTC to the microsecond, as PostgreSQL has them.</summary>
    /// <exception cref="ArgumentException">Names every invalid value in one message.</exception>
    public static InspectionRecord Checked(InspectionRecord record)
    {
        new OptionFaults()
            .Require(record.Id.Version == 7, nameof(record.Id), "a version 7 GUID", record.Id)
            .Require(IsName(record.Product, MostOfAProduct), nameof(record.Product), Name(MostOfAProduct), Shown(record.Product))
            .Require(IsName(record.ModelVersion, MostOfAName), nameof(record.ModelVersion), Name(MostOfAName), Shown(record.ModelVersion))
            .Require(record.ModelHash is null || ContentHash.Is(record.ModelHash), nameof(record.ModelHash),
                "64 hexadecimal digits in small letters, or null", Shown(record.ModelHash))
            .Require(record.Time >= Earliest && record.Time < Latest, nameof(record.Time), "a time from 1970 on, before 9000",
                record.Time.ToString("O", CultureInfo.InvariantCulture))
            .Require(float.IsFinite(record.Score), nameof(record.Score), "a finite number", record.Score)
            .Require(record.Probability is null or (>= 0 and <= 1), nameof(record.Probability), "0 to 1, or null", record.Probability)
            .Require(record.Threshold is null || float.IsFinite(record.Threshold.Value), nameof(record.Threshold),
                "a finite number, or null", record.Threshold)
            .Require(record.IsAnomalous || !record.IsForeign, nameof(record.IsForeign), "false where IsAnomalous is", record.IsForeign)
            .Require(record.Reason is null || IsName(record.Reason, MostOfAReason), nameof(record.Reason),
                $"{Name(MostOfAReason)}, or null", Shown(record.Reason))
            .Require(record.CycleTime is null || (record.CycleTime >= TimeSpan.Zero && record.CycleTime <= TimeSpan.FromDays(1)),
                nameof(record.CycleTime), "0 to 24 h, or null", record.CycleTime)
            .Require(record.Line is null || IsName(record.Line, MostOfAName), nameof(record.Line), $"{Name(MostOfAName)}, or null",
                Shown(record.Line))
            .Require(record.Station is null || IsName(record.Station, MostOfAName), nameof(record.Station),
                $"{Name(MostOfAName)}, or null", Shown(record.Station))
            .ThrowIfAny(nameof(InspectionRecord));
        return record with { Time = Microseconds(record.Time), CycleTime = Microseconds(record.CycleTime) };
    }

    /// <summary>In UTC; what is finer than a microsecond is dropped.</summary>
    public static DateTimeOffset Microseconds(DateTimeOffset time)
        => new(time.UtcTicks - (time.UtcTicks % TimeSpan.TicksPerMicrosecond), TimeSpan.Zero);

    /// <summary>A text without control characters and halves of letters, neither of which every database takes.</summary>
    public static bool IsName(string? text, int most) => text is { Length: > 0 } && text.Length <= most
        && !text.Any(char.IsControl) && !text.EnumerateRunes().Any(rune => rune == Rune.ReplacementChar && !text.Contains('\uFFFD'));

    public static string Name(int most) => $"1 to {most} characters without control characters";

    private static TimeSpan? Microseconds(TimeSpan? span)
        => span is { } time ? new TimeSpan(time.Ticks - (time.Ticks % TimeSpan.TicksPerMicrosecond)) : null;

    private static string? Shown(string? text)
        => text is null ? null : $"'{string.Concat(text.Take(60).Select(letter => char.IsControl(letter) ? '?' : letter))}' ({text.Length})";
}
