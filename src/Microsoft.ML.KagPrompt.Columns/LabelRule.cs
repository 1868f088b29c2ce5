using System.Globalization;
using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt;

/// <summary>
/// Which values of a label column mean a sound part and which a defect. The order in which a key met its values says nothing.
/// </summary>
internal static class LabelRule
{
    private const string ByName = "give the one that means a sound part (NormalLabel)";

    private static readonly HashSet<string> NormalWords = new(["good", "ok", "normal", "pass", "passed", "0", "false"],
        StringComparer.OrdinalIgnoreCase);

    private static readonly HashSet<string> DefectWords
        = new(["bad", "defect", "defective", "anomaly", "anomalous", "abnormal", "ng", "nok", "fail", "failed", "1", "true"],
            StringComparer.OrdinalIgnoreCase);

    /// <summary>Refuses a column whose values leave open which is normal, before any row is read.</summary>
    /// <param name="column">The label column; null: none.</param>
    /// <param name="normalLabel">The value that means a sound part; every other is a defect. Null: it follows from the type and the values'
    /// names.</param>
    /// <exception cref="ArgumentException">It is open, or there is no such value.</exception>
    public static void Check(DataViewSchema.Column? column, string? normalLabel)
    {
        if (column is { Type: KeyDataViewType } key)
        {
            OfKey(key, normalLabel);
        }
        else if (column is { Type: BooleanDataViewType } flag)
        {
            OfFlag(flag, normalLabel);
        }
        else if (column is { } number)
        {
            OfNumber(number, normalLabel);
        }
    }

    /// <summary>Whether each value of a key, from 1, means a defect.</summary>
    public static bool[] OfKey(DataViewSchema.Column column, string? normalLabel)
    {
        if (KeyNames.Read(column) is not { } names)
        {
            throw new ArgumentException($"Column '{column.Name}' is a key whose values have no names: "
                + "it is open which one means a sound part. "
                + "Make the key with MapValueToKey, or give a Boolean or a Single column (0 normal, above 0 anomalous).");
        }

        var listed = string.Join(", ", names.Take(20).Select(name => $"'{name}'"));
        if (normalLabel is not null)
        {
            return names.Any(name => Same(name, normalLabel)) ? [.. names.Select(name => !Same(name, normalLabel))]
                : throw new ArgumentException($"Column '{column.Name}': NormalLabel '{normalLabel}' is none of its values. "
                    + $"Expected one of {listed}.");
        }

        return names.All(name => NormalWords.Contains(name.Trim()) || DefectWords.Contains(name.Trim()))
            ? [.. names.Select(name => DefectWords.Contains(name.Trim()))]
            : throw new ArgumentException($"Column '{column.Name}' is a key of the values {listed}: "
                + $"it is open which one means a sound part. Of these, {ByName}; "
                + "known without it are good, ok, normal, pass, 0, false and bad, defect, anomaly, ng, nok, fail, 1, true.");
    }

    /// <summary>The flag's value that means a defect.</summary>
    public static bool OfFlag(DataViewSchema.Column column, string? normalLabel) => normalLabel is null
        || (bool.TryParse(normalLabel, out var normal) ? !normal
            : throw Unfit(column, normalLabel, "'true' or 'false' for a Boolean column"));

    /// <summary>The number that means a sound part; null: 0 and what lies below.</summary>
    public static float? OfNumber(DataViewSchema.Column column, string? normalLabel) => normalLabel is null ? null
        : float.TryParse(normalLabel, NumberStyles.Float, CultureInfo.InvariantCulture, out var normal) && float.IsFinite(normal) ? normal
        : throw Unfit(column, normalLabel, "a number such as '0' for a Single column");

    /// <summary>A number's meaning; null (NaN): unknown.</summary>
    public static bool? Meaning(float value, float? normal, DataViewRow row, string column) => value switch
    {
        float.NaN => null,
        float.PositiveInfinity or float.NegativeInfinity => throw new KagPromptException(
            $"Row {row.Position}, column '{column}': expected a label (0 normal, above 0 anomalous, NaN unknown), "
                + $"got {(value > 0 ? "Infinity" : "-Infinity")}. "
            + $"Correct the row, or filter it out."),
        _ => normal is { } sound ? value != sound : value > 0,
    };

    private static bool Same(string name, string normalLabel)
        => string.Equals(name.Trim(), normalLabel.Trim(), StringComparison.OrdinalIgnoreCase);

    private static ArgumentException Unfit(DataViewSchema.Column column, string normalLabel, string expected)
        => new($"Column '{column.Name}': NormalLabel is '{normalLabel}'; expected {expected}, or none.");
}
