using System.Globalization;
using Microsoft.ML.Data;

namespace Microsoft.ML.KagPrompt;

/// <summary>The names of a key column's values, whatever type they have.</summary>
internal static class KeyNames
{
    private const string KeyValues = "KeyValues";

    /// <summary>In the order of the keys, from 1; null where the column does not tell them.</summary>
    public static string[]? Read(DataViewSchema.Column column)
    {
        if (column.Annotations.Schema.GetColumnOrNull(KeyValues)?.Type is not VectorDataViewType type)
        {
            return null;
        }

        string[] Read<T>()
        {
            VBuffer<T> values = default;
            column.Annotations.GetValue(KeyValues, ref values);
            return [.. values.DenseValues().Select(value => value is ReadOnlyMemory<char> text ? text.ToString() : Text(value))];
        }

        static string Text<T>(T value) => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";

        return type.ItemType switch
        {
            TextDataViewType => Read<ReadOnlyMemory<char>>(),
            BooleanDataViewType => Read<bool>(),
            var item when item.RawType == typeof(float) => Read<float>(),
            var item when item.RawType == typeof(double) => Read<double>(),
            var item when item.RawType == typeof(int) => Read<int>(),
            var item when item.RawType == typeof(long) => Read<long>(),
            var item when item.RawType == typeof(short) => Read<short>(),
            var item when item.RawType == typeof(sbyte) => Read<sbyte>(),
            var item when item.RawType == typeof(uint) => Read<uint>(),
            var item when item.RawType == typeof(ulong) => Read<ulong>(),
            var item when item.RawType == typeof(ushort) => Read<ushort>(),
            var item when item.RawType == typeof(byte) => Read<byte>(),
            _ => null,
        };
    }
}
