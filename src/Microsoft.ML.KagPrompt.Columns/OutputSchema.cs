using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.Transforms.Image;
using Kinds = Microsoft.ML.Data.AnnotationUtils.Kinds;
using Values = Microsoft.ML.Data.AnnotationUtils.Const.ScoreValueKind;
using VectorKind = Microsoft.ML.SchemaShape.Column.VectorKind;

namespace Microsoft.ML.KagPrompt;

/// <summary>
/// The columns that are appended, with their annotations: ML.NET's of scores, and of a map how images were brought to its size.
/// </summary>
internal static class OutputSchema
{
    private static readonly ImageDataViewType Picture = Known();

    /// <summary>The input's columns and, after them, the outputs.</summary>
    /// <param name="input">The input's columns.</param>
    /// <param name="options">Names and sizes.</param>
    /// <param name="mapSize">S.</param>
    /// <param name="resizeMode">The model's.</param>
    public static DataViewSchema Append(DataViewSchema input, ColumnOptions options, int mapSize, ResizeMode resizeMode)
    {
        var builder = new DataViewSchema.Builder();
        builder.AddColumns(input);
        var set = input.GetMaxAnnotationKind(out _, Kinds.ScoreColumnSetId) + 1;
        builder.AddColumn(options.Score, NumberDataViewType.Single, OfScore(set, Values.Score));
        builder.AddColumn(options.PredictedLabel, BooleanDataViewType.Instance, OfScore(set, Values.PredictedLabel));
        builder.AddColumn(options.AnomalyMap, options.MapResolution == MapResolution.Model
            ? new VectorDataViewType(NumberDataViewType.Single, mapSize, mapSize)
            : new VectorDataViewType(NumberDataViewType.Single), MapAnnotations.Create(resizeMode));
        if (options.Probability is { } probability)
        {
            builder.AddColumn(probability, NumberDataViewType.Single, OfScore(set, Values.Probability, isNormalized: true));
        }

        if (options.Heatmap is { } heatmap)
        {
            builder.AddColumn(heatmap, Picture);
        }

        if (options.HeatmapPng is { } png)
        {
            builder.AddColumn(png, new VectorDataViewType(NumberDataViewType.Byte));
        }

        // Last, so that the columns of earlier versions keep their positions.
        if (options.IsForeign is { } foreign)
        {
            builder.AddColumn(foreign, BooleanDataViewType.Instance);
        }

        if (options.ErrorColumnName is { } error)
        {
            builder.AddColumn(error, TextDataViewType.Instance);
        }

        return builder.ToSchema();
    }

    /// <summary>The same before fitting.</summary>
    public static SchemaShape Append(SchemaShape input, ColumnOptions options)
    {
        var columns = input.ToDictionary(column => column.Name);
        void Add(string name, VectorKind kind, DataViewType type, IEnumerable<SchemaShape.Column>? annotations = null)
            => columns[name] = new SchemaShape.Column(name, kind, type, false, annotations is null ? null : new SchemaShape(annotations));
        Add(options.Score, VectorKind.Scalar, NumberDataViewType.Single,
            AnnotationUtils.GetTrainerOutputAnnotation());
        Add(options.PredictedLabel, VectorKind.Scalar, BooleanDataViewType.Instance,
            AnnotationUtils.GetTrainerOutputAnnotation());
        var map = options.MapResolution == MapResolution.Model ? VectorKind.Vector : VectorKind.VariableVector;
        Add(options.AnomalyMap, map, NumberDataViewType.Single, MapAnnotations.Shape);
        if (options.Probability is { } probability)
        {
            Add(probability, VectorKind.Scalar, NumberDataViewType.Single,
                AnnotationUtils.GetTrainerOutputAnnotation(isNormalized: true));
        }

        if (options.Heatmap is { } heatmap)
        {
            Add(heatmap, VectorKind.Scalar, Picture);
        }

        if (options.HeatmapPng is { } png)
        {
            Add(png, VectorKind.VariableVector, NumberDataViewType.Byte);
        }

        if (options.IsForeign is { } foreign)
        {
            Add(foreign, VectorKind.Scalar, BooleanDataViewType.Instance);
        }

        if (options.ErrorColumnName is { } error)
        {
            Add(error, VectorKind.Scalar, TextDataViewType.Instance);
        }

        return new SchemaShape(columns.Values);
    }

    /// <summary>
    /// An image of any size. ML.NET reads an image into a member of a class only where the column's very type is registered, which a member
    /// marked [ImageType] does for that type alone:
    /// [ImageType(1, 1)] would not do for a column without sizes.
    /// </summary>
    private static ImageDataViewType Known()
    {
        var type = new ImageDataViewType();
        DataViewTypeManager.Register(type, typeof(MLImage), new ImageTypeAttribute());
        return type;
    }

    private static DataViewSchema.Annotations OfScore(uint set, string kind, bool isNormalized = false)
    {
        var builder = new DataViewSchema.Annotations.Builder();
        builder.Add(Kinds.ScoreColumnSetId, AnnotationUtils.ScoreColumnSetIdType, (ref uint value) => value = set);
        builder.AddPrimitiveValue(Kinds.ScoreColumnKind, TextDataViewType.Instance,
            AnnotationUtils.Const.ScoreColumnKind.AnomalyDetection.AsMemory());
        builder.AddPrimitiveValue(Kinds.ScoreValueKind, TextDataViewType.Instance, kind.AsMemory());
        if (isNormalized)
        {
            builder.AddPrimitiveValue(Kinds.IsNormalized, BooleanDataViewType.Instance, true);
        }

        return builder.ToAnnotations();
    }
}
