using System.Text.Json.Serialization;

namespace Microsoft.ML.KagPrompt.Results.Retention;

/// <summary>What is known of the time, also from one start to the next.</summary>
/// <param name="Expected">What a clock shows that goes right.</param>
/// <param name="Shown">What the machine's shows instead; null: it is believed.</param>
/// <param name="Ran">For how long the program has run by it.</param>
internal sealed record ClockNote(DateTimeOffset Expected, DateTimeOffset? Shown, TimeSpan Ran)
{
    /// <summary>By how much a clock may move by itself while the program runs.</summary>
    public static readonly TimeSpan Step = TimeSpan.FromHours(1);

    /// <summary>How long the program may stand still: a weekend and a holiday.</summary>
    public static readonly TimeSpan Standstill = TimeSpan.FromDays(4);

    /// <summary>
    /// After so much running a clock is believed whatever it shows: somebody would have set it right, also after a weekend.
    /// </summary>
    public static readonly TimeSpan Trial = TimeSpan.FromHours(72);

    /// <summary>Whether it can have been written by this class.</summary>
    [JsonIgnore]
    public bool IsSound => IsTime(Expected) && (Shown is not { } shown || IsTime(shown)) && Ran >= TimeSpan.Zero && Ran < Trial;

    /// <summary>The time by which ages are counted: while two are told, the earlier.</summary>
    [JsonIgnore]
    public DateTimeOffset Now => Shown < Expected ? Shown.Value : Expected;

    /// <summary>In words for others; null: none.</summary>
    [JsonIgnore]
    public ClockDoubt? Doubt => Shown is { } shown ? new(shown, Expected, Trial - Ran) : null;

    /// <summary>What is known after another look at the clock.</summary>
    /// <param name="shown">What it shows.</param>
    /// <param name="passed">How long the program ran since the last look; null: it was started since.</param>
    /// <param name="isSettled">Whether the clock was believed since the start, so that it is known for how long the program stood
    /// still.</param>
    public ClockNote After(DateTimeOffset shown, TimeSpan? passed, bool isSettled)
    {
        var ran = passed ?? TimeSpan.Zero;
        var expected = Expected + ran;
        if (shown >= expected - Step && shown <= expected + (isSettled ? Step : Standstill))
        {
            return new(shown, null, TimeSpan.Zero);
        }

        // It went on as it was, but for nights in which the machine was off or slept. What is more than the doubt itself begins it anew.
        var goesOn = Shown is { } last && shown >= last + ran - Step && shown <= last + ran + Larger(Standstill, last - Expected);
        var trial = goesOn ? Ran + ran : TimeSpan.Zero;
        return trial >= Trial ? new(shown, null, TimeSpan.Zero) : new(expected, shown, trial);
    }

    private static TimeSpan Larger(TimeSpan one, TimeSpan other) => one > other ? one : other;

    private static bool IsTime(DateTimeOffset time) => time.Year is >= 1970 and < 9000;
}

[JsonSerializable(typeof(ClockNote))]
internal sealed partial class ClockJson : JsonSerializerContext;
