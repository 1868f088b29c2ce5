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
        var image = ColumnReaders.Require(schema, options.Columns.Image, nameof(options.Columns.Image), "an image (MLImage)", type => type is ImageDataViewType);
        var className = ColumnReaders.Find(schema, options.Columns.ClassName, nameof(options.Columns.ClassName), ColumnReaders.ClassNameKind, ColumnReaders.IsClassName);
        var label = fitting ? ColumnReaders.Find(schema, options.Columns.Label, nameof(options.Columns.Label), ColumnReaders.LabelKind, ColumnReaders.IsLabel) : null;
        var support = fitting ? ColumnReaders.Find(schema, options.Columns.Support, nameof(options.Columns.Support), "a Boolean", type => type is BooleanDataViewType) : null;
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

                var pixels = ImageAdapter.ToPixels(image, options.Images.MaxPixels, origin);
                // LoadImages tags an image with its file.
                if (image.Tag is { Length: > 0 } file && File.Exists(file))
                {
                    ImageFileEnd.Require(file, $"{origin} ('{file}')");
                }

                return pixels;
            }
            finally
            {
                image?.Dispose();
            }
        };
    }

    /// <summary>Reads a row's class; null where there is no class column.</summary>
    public Func<string?> ClassReader(DataViewRow row) => ColumnReaders.ClassName(row, ClassName);

    /// <summary>Reads a row's label; null where unknown.</summary>
    public Func<bool?> LabelReader(DataViewRow row) => ColumnReaders.Label(row, Label);

    /// <summary>Reads a row's support flag; null where there is no such column.</summary>
    public Func<bool?> SupportReader(DataViewRow row) => ColumnReaders.Flag(row, Support);
}
