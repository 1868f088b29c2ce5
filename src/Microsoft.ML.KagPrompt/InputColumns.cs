using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.Transforms.Image;

namespace Microsoft.ML.KagPrompt;

/// <summary>The columns a view must have, found and checked once.</summary>
internal sealed class InputColumns
{
    private readonly KagPromptOptions options;

    private InputColumns(KagPromptOptions options, DataViewSchema.Column image, DataViewSchema.Column? className, DataViewSchema.Column? label, DataViewSchema.Column? support)
        => (this.options, Image, ClassName, Label, Support) = (options, image, className, label, support);

    public DataViewSchema.Column Image { get; }

    public DataViewSchema.Column? ClassName { get; }

    public DataViewSchema.Column? Label { get; }

    public DataViewSchema.Column? Support { get; }

    /// <summary>The columns scoring reads.</summary>
    public IEnumerable<DataViewSchema.Column> ForScoring => new[] { Image, ClassName }.OfType<DataViewSchema.Column>();

    /// <summary>The columns fitting reads.</summary>
    public IEnumerable<DataViewSchema.Column> ForFitting => new[] { Image, ClassName, Label, Support }.OfType<DataViewSchema.Column>();

    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of another type; label and support count only while fitting.</exception>
    public static InputColumns Find(DataViewSchema schema, KagPromptOptions options, bool fitting)
    {
        var image = Column(schema, options.ImageColumnName, nameof(options.ImageColumnName), "an image (MLImage)", type => type is ImageDataViewType);
        var className = Optional(schema, options.ClassNameColumnName, nameof(options.ClassNameColumnName), "a text or key", type => type is TextDataViewType or KeyDataViewType);
        var label = fitting ? Optional(schema, options.LabelColumnName, nameof(options.LabelColumnName), "a Single, a Boolean or a key of two values",
            type => type is NumberDataViewType { RawType: var raw } && raw == typeof(float) || type is BooleanDataViewType || type is KeyDataViewType { Count: 2 }) : null;
        var support = fitting ? Optional(schema, options.SupportColumnName, nameof(options.SupportColumnName), "a Boolean", type => type is BooleanDataViewType) : null;
        return new InputColumns(options, image, className, label, support);
    }

    /// <summary>Reads a row's image.</summary>
    public Func<PixelBuffer> ImageReader(DataViewRow row)
    {
        var getter = row.GetGetter<MLImage>(Image);
        return () =>
        {
            var origin = $"Row {row.Position}, column '{Image.Name}'";
            MLImage? image = null;
            try
            {
                try
                {
                    getter(ref image!);
                }
                catch (Exception fault) when (fault is not OperationCanceledException and not OutOfMemoryException)
                {
                    throw new ImageReadException($"{origin}: the image cannot be read. {fault.Message} Expected a PNG, JPEG or BMP file. Check that it exists and is whole.", fault);
                }

                return ImageAdapter.ToPixels(image, options.MaxImagePixels, origin);
            }
            finally
            {
                image?.Dispose();
            }
        };
    }

    /// <summary>Reads a row's class; null where there is no class column.</summary>
    public Func<string?> ClassReader(DataViewRow row)
    {
        if (ClassName is not { } column)
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
    public Func<bool?> LabelReader(DataViewRow row)
    {
        if (Label is not { } column)
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

    /// <summary>Reads a row's support flag; null where there is no such column.</summary>
    public Func<bool?> SupportReader(DataViewRow row)
    {
        if (Support is not { } column)
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

    private static DataViewSchema.Column? Optional(DataViewSchema schema, string? name, string option, string expected, Func<DataViewType, bool> fits)
        => name is null ? null : Column(schema, name, option, expected, fits);

    private static DataViewSchema.Column Column(DataViewSchema schema, string name, string option, string expected, Func<DataViewType, bool> fits)
    {
        if (schema.GetColumnOrNull(name) is not { } column)
        {
            throw new ArgumentOutOfRangeException(option, $"Column '{name}' ({option}) is missing: expected {expected} column, got columns {string.Join(", ", schema.Select(present => $"'{present.Name}'"))}.");
        }

        return fits(column.Type) ? column
            : throw new ArgumentOutOfRangeException(option, $"Column '{name}' ({option}) is of the wrong type: expected {expected} column, got {column.Type}.");
    }
}
