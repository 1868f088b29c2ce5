using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using VectorKind = Microsoft.ML.SchemaShape.Column.VectorKind;

namespace Microsoft.ML.KagPrompt;

/// <summary>The columns a pipeline must have, checked before any data is there.</summary>
internal static class InputShape
{
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of another type.</exception>
    public static void Check(SchemaShape schema, ColumnOptions options)
    {
        Require(schema, options.Image, ColumnReaders.ImageOption, "an image (MLImage)",
            column => column.ItemType is ImageDataViewType);
        Require(schema, options.ClassName, "Columns.ClassName", ColumnReaders.ClassNameKind,
            column => column.IsKey || column.ItemType is TextDataViewType);
        Require(schema, options.Label, "Columns.Label", ColumnReaders.LabelKind,
            column => column.IsKey || column.ItemType == NumberDataViewType.Single || column.ItemType is BooleanDataViewType);
        Require(schema, options.Support, "Columns.Support", "a Boolean",
            column => !column.IsKey && column.ItemType is BooleanDataViewType);
    }

    private static void Require(SchemaShape schema, string? name, string option, string expected, Func<SchemaShape.Column, bool> fits)
    {
        if (name is null)
        {
            return;
        }

        if (!schema.TryFindColumn(name, out var column))
        {
            throw ColumnReaders.Missing(name, option, expected, schema.Select(present => present.Name));
        }

        if (column.Kind != VectorKind.Scalar || !fits(column))
        {
            throw ColumnReaders.Unfit(name, option, expected, column.GetTypeString());
        }
    }
}
