using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.Transforms.Image;

namespace Microsoft.ML.KagPrompt;

/// <summary>The columns a view must have, found and checked once.</summary>
internal sealed class InputColumns
{
    private readonly ColumnOptions options;
    private readonly ImageOptions images;
    private readonly DataViewSchema.Column[] texts;

    private InputColumns(ColumnOptions options, ImageOptions images, DataViewSchema.Column[] texts, DataViewSchema.Column image,
        DataViewSchema.Column? className, DataViewSchema.Column? label, DataViewSchema.Column? support)
        => (this.options, this.images, this.texts, Image, ClassName, Label, Support)
            = (options, images, texts, image, className, label, support);

    public DataViewSchema.Column Image { get; }

    public DataViewSchema.Column? ClassName { get; }

    public DataViewSchema.Column? Label { get; }

    public DataViewSchema.Column? Support { get; }

    /// <summary>The columns scoring reads, and the texts that tell a row's path in messages.</summary>
    public IEnumerable<DataViewSchema.Column> ForScoring => new[] { Image, ClassName }.OfType<DataViewSchema.Column>().Concat(texts)
        .DistinctBy(column => column.Index);

    /// <summary>The columns fitting reads, and the same texts.</summary>
    public IEnumerable<DataViewSchema.Column> ForFitting => new[] { Image, ClassName, Label, Support }.OfType<DataViewSchema.Column>()
        .Concat(texts).DistinctBy(column => column.Index);

    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of another type; label and support count only while
    /// fitting.</exception>
    /// <exception cref="ArgumentException">It is open which value of the label column is normal.</exception>
    public static InputColumns Find(DataViewSchema schema, ColumnOptions options, ImageOptions images, bool fitting)
    {
        var image = ColumnReaders.Require(schema, options.Image, ColumnReaders.ImageOption, "an image (MLImage)",
            type => type is ImageDataViewType);
        var className = ColumnReaders.Find(schema, options.ClassName, "Columns.ClassName", ColumnReaders.ClassNameKind,
            ColumnReaders.IsClassName);
        var label = fitting
            ? ColumnReaders.Find(schema, options.Label, "Columns.Label", ColumnReaders.LabelKind, ColumnReaders.IsLabel)
            : null;
        var support = fitting
            ? ColumnReaders.Find(schema, options.Support, "Columns.Support", "a Boolean", type => type is BooleanDataViewType)
            : null;
        LabelRule.Check(label, options.NormalLabel);
        return new InputColumns(options, images, [.. RowOrigin.TextsOf(schema)], image, className, label, support);
    }

    /// <summary>Reads a row's image, and disposes what was made for this reading alone (<see cref="ImageSource"/>).</summary>
    public Func<PixelBuffer> ImageReader(DataViewRow row)
    {
        var source = new ImageSource(row.GetGetter<MLImage>(Image));
        var place = new RowOrigin(row, texts);
        return () =>
        {
            var origin = $"Row {row.Position}, column '{Image.Name}'";
            MLImage? image = null;
            var isOurs = false;
            try
            {
                (image, isOurs) = source.Take();
                return Pixels(image, ImageSource.FileOf(image) is { } file ? $"{origin} ('{file}')" : origin);
            }
            catch (ImageReadException fault) when (ImageSource.FileOf(image) is null && place.Paths is { Length: > 0 } paths)
            {
                throw new ImageReadException(fault.Message.Replace(origin, origin + paths, StringComparison.Ordinal), fault);
            }
            catch (Exception fault) when (image is null
                && fault is not OperationCanceledException and not OutOfMemoryException and not ImageReadException)
            {
                throw new ImageReadException($"{origin}{place.Paths}: the image cannot be read. {fault.Message} "
                    + $"Expected {ImageFormats.Expected}. Check that it exists and is whole.", fault);
            }
            finally
            {
                if (isOurs)
                {
                    image?.Dispose();
                }
            }
        };
    }

    /// <summary>
    /// Reads what scoring needs of a row. With <see cref="ColumnOptions.ErrorColumnName"/> a bad image is the row's error; without, it
    /// ends the pass.
    /// </summary>
    public Func<RowInput> RowReader(DataViewRow row)
    {
        var (image, className, place) = (ImageReader(row), ClassReader(row), new RowOrigin(row, texts));
        return () =>
        {
            var origin = $"Row {row.Position}, column '{Image.Name}'{place.Paths}";
            try
            {
                return new(image(), className(), origin);
            }
            catch (ImageReadException fault) when (options.ErrorColumnName is not null)
            {
                return new(null, className(), origin, fault.Message);
            }
        };
    }

    /// <summary>The one place where pixels are taken from a column's image.</summary>
    private PixelBuffer Pixels(MLImage? image, string origin)
    {
        try
        {
            return ImageAdapter.ToPixels(image, images.MaxPixels, origin, images.Orientation);
        }
        catch (InvalidOperationException fault)
        {
            throw new ImageReadException($"{origin}: the image is disposed. Expected one that lives until its row is read: "
                + "images in memory are yours to dispose, after the last reading.", fault);
        }
    }

    /// <summary>Reads a row's class; null where there is no class column.</summary>
    public Func<string?> ClassReader(DataViewRow row) => ColumnReaders.ClassName(row, ClassName);

    /// <summary>Reads a row's label; null where unknown.</summary>
    public Func<bool?> LabelReader(DataViewRow row) => ColumnReaders.Label(row, Label, options.NormalLabel);

    /// <summary>Reads a row's support flag; null where there is no such column.</summary>
    public Func<bool?> SupportReader(DataViewRow row) => ColumnReaders.Flag(row, Support);
}
