using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.Imaging;

namespace Microsoft.ML.KagPrompt;

/// <summary>How images were brought to a map's size, carried by the map's column: masks must be brought there alike.</summary>
internal static class MapAnnotations
{
    private const string Kind = "ResizeMode";

    /// <summary>What a map column carries before fitting.</summary>
    public static IEnumerable<SchemaShape.Column> Shape
        => [new(Kind, SchemaShape.Column.VectorKind.Scalar, TextDataViewType.Instance, false)];

    public static DataViewSchema.Annotations Create(ResizeMode mode)
    {
        var builder = new DataViewSchema.Annotations.Builder();
        builder.AddPrimitiveValue(Kind, TextDataViewType.Instance, mode.ToString().AsMemory());
        return builder.ToAnnotations();
    }

    /// <summary>What a map column says; null where it says nothing, because another program made it.</summary>
    public static ResizeMode? ModeOf(DataViewSchema.Column map)
    {
        if (map.Annotations.Schema.GetColumnOrNull(Kind)?.Type is not TextDataViewType)
        {
            return null;
        }

        ReadOnlyMemory<char> text = default;
        map.Annotations.GetValue(Kind, ref text);
        return Enum.TryParse<ResizeMode>(text.Span, out var mode) && Enum.IsDefined(mode) ? mode : null;
    }
}
