using System.CommandLine.Parsing;
using System.Globalization;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Cli.Commands;

/// <summary>
/// Values as they are typed on the command line. Numbers have a decimal point, whatever the machine's language; a decimal comma or
/// separated thousands are refused, as they would be read as another number.
/// </summary>
internal static class Typed
{
    /// <summary>A whole number, within bounds; zero where it was refused.</summary>
    public static Func<ArgumentResult, int> Whole(int least = int.MinValue, int most = int.MaxValue)
        => result => WholeOf(result, least, most) ?? 0;

    /// <summary>The same, for options that may be left out.</summary>
    public static Func<ArgumentResult, int?> WholeOrNone(int least = int.MinValue, int most = int.MaxValue)
        => result => WholeOf(result, least, most);

    /// <summary>A number that is finite; zero where it was refused.</summary>
    public static float Number(ArgumentResult result) => NumberOrNone(result) ?? 0;

    /// <summary>The same, for options that may be left out.</summary>
    public static float? NumberOrNone(ArgumentResult result)
    {
        var text = Text(result);
        const NumberStyles Plain = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        if (float.TryParse(text, Plain, CultureInfo.InvariantCulture, out var number) && float.IsFinite(number))
        {
            return number;
        }

        Refuse(result, "a number with a decimal point, such as 0.25"
            + $"{(text.Contains(',', StringComparison.Ordinal) ? ", and no comma" : "")}", text);
        return null;
    }

    /// <summary>Whole numbers between commas.</summary>
    public static Func<ArgumentResult, int[]> Wholes(int least, int most) => result =>
    {
        var text = string.Join(',', result.Tokens.Select(token => token.Value));
        var numbers = text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(part => TryWhole(part, out var number) && !HasLeadingZero(part) ? number : (int?)null).ToArray();
        if (numbers.Length > 0 && numbers.All(number => number >= least && number <= most))
        {
            return [.. numbers.Select(number => number!.Value)];
        }

        Refuse(result, string.Create(CultureInfo.InvariantCulture, $"whole numbers of {least} to {most} between commas, "
            + $"such as 1,2,4"), text);
        return [];
    };

    /// <summary>One of an enumeration's names, in any case.</summary>
    public static T Choice<T>(ArgumentResult result) where T : struct, Enum
    {
        var text = Text(result);
        if (Enum.GetNames<T>().FirstOrDefault(name => name.Equals(text, StringComparison.OrdinalIgnoreCase)) is { } known)
        {
            return Enum.Parse<T>(known);
        }

        Refuse(result, $"one of {string.Join(", ", Enum.GetNames<T>())}", text);
        return default;
    }

    /// <summary>What a list of numbers never needs, and what a decimal comma or separated thousands leave behind: 0,05 and 1,000.</summary>
    public static bool HasLeadingZero(string text) => text.Length > 1 && text[0] == '0' && char.IsAsciiDigit(text[1]);

    private static int? WholeOf(ArgumentResult result, int least, int most)
    {
        var text = Text(result);
        if (TryWhole(text, out var number) && number >= least && number <= most)
        {
            return number;
        }

        var range = (least, most) switch
        {
            (int.MinValue, int.MaxValue) => "",
            (_, int.MaxValue) => string.Create(CultureInfo.InvariantCulture, $" of {least} or more"),
            _ => string.Create(CultureInfo.InvariantCulture, $" of {least} to {most}"),
        };
        Refuse(result, $"a whole number{range}, digits alone", text);
        return null;
    }

    private static bool TryWhole(string text, out int number)
        => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number);

    private static string Text(ArgumentResult result) => result.Tokens is [.., var last] ? last.Value : "";

    private static void Refuse(ArgumentResult result, string expected, string got)
        => result.AddError($"{(result.Parent is OptionResult { Option.Name: var option } ? option : result.Argument.Name)}: "
            + $"expected {expected}, got '{got}'.");
}
