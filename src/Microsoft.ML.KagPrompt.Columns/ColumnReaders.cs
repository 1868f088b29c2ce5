using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt;

/// <summary>Finds columns, and reads their values whatever type the user gave them.</summary>
internal static class ColumnReaders
{
    public const string ImageOption = "Columns.Image";
    public const string ClassNameKind = "a text or key";
    public const string LabelKind = "a Single, a Boolean or a key";

    public static bool IsClassName(DataViewType type) => type is TextDataViewType or KeyDataViewType;

    public static bool IsLabel(DataViewType type)
        => (type is NumberDataViewType { RawType: var raw } && raw == typeof(float))
            || type is BooleanDataViewType
            || type is KeyDataViewType;

    /// <summary>Reads a row's text; null where there is no such column or it is empty.</summary>
    public static Func<string?> Text(DataViewRow row, DataViewSchema.Column? column)
    {
        if (column is null)
        {
            return () => null;
        }

        var getter = row.GetGetter<ReadOnlyMemory<char>>(column.Value);
        ReadOnlyMemory<char> text = default;
        return () =>
        {
            getter(ref text);
            return text.IsEmpty ? null : text.ToString();
        };
    }

    /// <summary>Reads a row's class; null where there is no class column.</summary>
    public static Func<string?> ClassName(DataViewRow row, DataViewSchema.Column? className)
    {
        if (className is not { } column)
        {
            return () => null;
        }

        if (column.Type is TextDataViewType)
        {
            var getter = row.GetGetter<ReadOnlyMemory<char>>(column);
            ReadOnlyMemory<char> text = default;
            return () =>
            {
                getter(ref text);
                return text.IsEmpty
                    ? throw new KagPromptException($"Row {row.Position}, column '{column.Name}': expected a class name, got an empty text.")
                    : text.ToString();
            };
        }

        var known = KeyNames.Read(column) ?? [];
        var key = KeyReader(row, column);
        return () => key() is var value && value >= 1 && value <= (ulong)known.Length ? known[(int)value - 1]
            : throw new KagPromptException($"Row {row.Position}, column '{column.Name}': expected a known class, got a missing key.");
    }

    /// <summary>Reads a row's label: true means a defect, null unknown (<see cref="LabelRule"/>).</summary>
    public static Func<bool?> Label(DataViewRow row, DataViewSchema.Column? label, string? normalLabel)
    {
        if (label is not { } column)
        {
            return () => null;
        }

        if (column.Type is BooleanDataViewType)
        {
            var (flag, defect) = (BooleanReader(row, column), LabelRule.OfFlag(column, normalLabel));
            return () => flag() == defect;
        }

        if (column.Type is KeyDataViewType)
        {
            var (key, meanings) = (KeyReader(row, column), LabelRule.OfKey(column, normalLabel));
            return () => key() is var value && value >= 1 && value <= (ulong)meanings.Length ? meanings[(int)value - 1] : null;
        }

        var normal = LabelRule.OfNumber(column, normalLabel);
        var getter = row.GetGetter<float>(column);
        return () =>
        {
            var value = 0f;
            getter(ref value);
            return LabelRule.Meaning(value, normal, row, column.Name);
        };
    }

    /// <summary>Reads a row's flag; null where there is no such column.</summary>
    public static Func<bool?> Flag(DataViewRow row, DataViewSchema.Column? flagged)
    {
        if (flagged is not { } column)
        {
            return () => null;
        }

        var flag = BooleanReader(row, column);
        return () => flag();
    }

    private static Func<bool> BooleanReader(DataViewRow row, DataViewSchema.Column column)
    {
        var getter = row.GetGetter<bool>(column);
        return () =>
        {
            var value = false;
            getter(ref value);
            return value;
        };
    }

    private static Func<ulong> KeyReader(DataViewRow row, DataViewSchema.Column column)
    {
        Func<ulong> Read<T>(Func<T, ulong> widen)
        {
            var getter = row.GetGetter<T>(column);
            return () =>
            {
                T value = default!;
                getter(ref value);
                return widen(value);
            };
        }

        return column.Type.RawType switch
        {
            var raw when raw == typeof(byte) => Read<byte>(value => value),
            var raw when raw == typeof(ushort) => Read<ushort>(value => value),
            var raw when raw == typeof(uint) => Read<uint>(value => value),
            _ => Read<ulong>(value => value),
        };
    }

    /// <summary>The column of a name that may be null.</summary>
    public static DataViewSchema.Column? Find(DataViewSchema schema, string? name, string option, string expected,
        Func<DataViewType, bool> fits)
        => name is null ? null : Require(schema, name, option, expected, fits);

    /// <exception cref="ArgumentOutOfRangeException">The column is missing or of another type.</exception>
    public static DataViewSchema.Column Require(DataViewSchema schema, string name, string option, string expected,
        Func<DataViewType, bool> fits)
    {
        if (schema.GetColumnOrNull(name) is not { } column)
        {
            throw Missing(name, option, expected, schema.Select(present => present.Name));
        }

        return fits(column.Type) ? column : throw Unfit(name, option, expected, column.Type.ToString());
    }

    /// <summary>What to say of a column that is not there, and how to have it.</summary>
    public static ArgumentOutOfRangeException Missing(string name, string option, string expected, IEnumerable<string> present)
        => new(option, $"Column '{name}' ({option}) is missing: expected {expected} column, got columns "
            + $"{string.Join(", ", present.Select(column => $"'{column}'"))}. "
            + (option == ImageOption
                ? $"Load the files into it first, as mlContext.Transforms.LoadImages(\"{name}\", \"\", \"ImagePath\") does."
                : "Name another, or rename the one that is meant."));

    /// <summary>What to say of a column of another type.</summary>
    public static ArgumentOutOfRangeException Unfit(string name, string option, string expected, string? got)
        => new(option, $"Column '{name}' ({option}) is of the wrong type: expected {expected} column, got {got}."
            + (option == ImageOption
                ? $" Load the files it names first: mlContext.Transforms.LoadImages(\"Image\", \"\", \"{name}\")."
                : ""));
}
