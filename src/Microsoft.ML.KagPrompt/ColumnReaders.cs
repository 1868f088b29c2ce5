using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt;

/// <summary>Finds columns, and reads their values whatever type the user gave them.</summary>
internal static class ColumnReaders
{
    public const string ClassNameKind = "a text or key";
    public const string LabelKind = "a Single, a Boolean or a key of two values";

    public static bool IsClassName(DataViewType type) => type is TextDataViewType or KeyDataViewType;

    public static bool IsLabel(DataViewType type) => (type is NumberDataViewType { RawType: var raw } && raw == typeof(float)) || type is BooleanDataViewType || type is KeyDataViewType { Count: 2 };

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
                return text.IsEmpty ? throw new KagPromptException($"Row {row.Position}, column '{column.Name}': expected a class name, got an empty text.") : text.ToString();
            };
        }

        VBuffer<ReadOnlyMemory<char>> names = default;
        column.GetKeyValues(ref names);
        var known = names.DenseValues().Select(name => name.ToString()).ToArray();
        var key = KeyReader(row, column);
        return () => key() is var value && value >= 1 && value <= (ulong)known.Length ? known[(int)value - 1]
            : throw new KagPromptException($"Row {row.Position}, column '{column.Name}': expected a known class, got a missing key.");
    }

    /// <summary>Reads a row's label; null where unknown.</summary>
    public static Func<bool?> Label(DataViewRow row, DataViewSchema.Column? label)
    {
        if (label is not { } column)
        {
            return () => null;
        }

        if (column.Type is BooleanDataViewType)
        {
            var flag = BooleanReader(row, column);
            return () => flag();
        }

        if (column.Type is KeyDataViewType)
        {
            // As ML.NET's evaluators read it: the first value is 0, the second 1.
            var key = KeyReader(row, column);
            return () => key() switch { 0 => null, 1 => false, _ => true };
        }

        var getter = row.GetGetter<float>(column);
        return () =>
        {
            var value = 0f;
            getter(ref value);
            return float.IsNaN(value) ? null : value > 0;
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
    public static DataViewSchema.Column? Find(DataViewSchema schema, string? name, string option, string expected, Func<DataViewType, bool> fits)
        => name is null ? null : Require(schema, name, option, expected, fits);

    /// <exception cref="ArgumentOutOfRangeException">The column is missing or of another type.</exception>
    public static DataViewSchema.Column Require(DataViewSchema schema, string name, string option, string expected, Func<DataViewType, bool> fits)
    {
        if (schema.GetColumnOrNull(name) is not { } column)
        {
            throw new ArgumentOutOfRangeException(option, $"Column '{name}' ({option}) is missing: expected {expected} column, got columns {string.Join(", ", schema.Select(present => $"'{present.Name}'"))}.");
        }

        return fits(column.Type) ? column
            : throw new ArgumentOutOfRangeException(option, $"Column '{name}' ({option}) is of the wrong type: expected {expected} column, got {column.Type}.");
    }
}
