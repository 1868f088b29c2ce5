using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Metrics;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt;

/// <summary>Metrics of scored rows, read in one pass.</summary>
internal static class ScoredRows
{
    public static AnomalyMetrics<ImageMetrics> Images(IDataView data, string labelName, string scoreName, string? className, int seed,
        string? normalLabel)
    {
        var schema = data.Schema;
        var label = ColumnReaders.Require(schema, labelName, "labelColumnName", ColumnReaders.LabelKind, ColumnReaders.IsLabel);
        var score = ColumnReaders.Require(schema, scoreName, "scoreColumnName", "a Single", type => type == NumberDataViewType.Single);
        var product = ColumnReaders.Find(schema, className, "classNameColumnName", ColumnReaders.ClassNameKind, ColumnReaders.IsClassName);
        var rows = new Dictionary<string, (List<float> Scores, List<bool?> Labels)>();
        using var cursor = data.GetRowCursor(new[] { label, score, product }.OfType<DataViewSchema.Column>());
        var (readLabel, readClass, readScore) = (ColumnReaders.Label(cursor, label, normalLabel), ColumnReaders.ClassName(cursor, product),
            cursor.GetGetter<float>(score));
        while (cursor.MoveNext())
        {
            var value = 0f;
            readScore(ref value);
            var (scores, labels) = ForClass(rows, readClass(), () => ([], []));
            scores.Add(value);
            labels.Add(readLabel());
        }

        var metrics = rows.ToDictionary(entry => entry.Key, entry => ImageMetrics.Compute(entry.Value.Scores, entry.Value.Labels, seed));
        return new(metrics, ImageMetrics.Mean(metrics.Values)) { Warnings = Warnings(metrics, one => one.Warnings) };
    }

    public static AnomalyMetrics<PixelMetrics> Pixels(IDataView data, string mapName, string maskName, string? labelName, string? className,
        ResizeMode? resizeMode, int seed, string? normalLabel)
    {
        var schema = data.Schema;
        var map = ColumnReaders.Require(schema, mapName, "anomalyMapColumnName", "a vector of Single",
            type => type is VectorDataViewType { ItemType: var item } && item == NumberDataViewType.Single);
        var mask = ColumnReaders.Require(schema, maskName, "maskPathColumnName", "a text", type => type is TextDataViewType);
        var label = ColumnReaders.Find(schema, labelName, "labelColumnName", ColumnReaders.LabelKind, ColumnReaders.IsLabel);
        var product = ColumnReaders.Find(schema, className, "classNameColumnName", ColumnReaders.ClassNameKind, ColumnReaders.IsClassName);
        var mode = resizeMode ?? MapAnnotations.ModeOf(map) ?? ResizeMode.Stretch;
        var isFixed = ((VectorDataViewType)map.Type).Size > 0;
        var statistics = new Dictionary<string, MapStatistics>();
        using var cursor = data.GetRowCursor(new[] { map, mask, label, product }.OfType<DataViewSchema.Column>());
        var (readMask, readLabel, readClass, readMap) = (ColumnReaders.Text(cursor, mask), ColumnReaders.Label(cursor, label, normalLabel),
            ColumnReaders.ClassName(cursor, product), cursor.GetGetter<VBuffer<float>>(map));
        VBuffer<float> buffer = default;
        while (cursor.MoveNext())
        {
            readMap(ref buffer);
            var (values, path, isAnomalous) = (buffer.DenseValues().ToArray(), readMask(), readLabel());
            if (Array.TrueForAll(values, float.IsNaN) || (isAnomalous is null && label is not null && path is null))
            {
                // Without a verdict; or neither known to be sound nor marked.
                continue;
            }

            var truth = path is null ? null : DefectMask.Read(path);
            var (width, height) = isFixed
                ? Square(values.Length, cursor)
                : truth is null ? (values.Length, 1) : (truth.Width, truth.Height);
            if (width * height != values.Length)
            {
                throw new ImageReadException($"Row {cursor.Position}: the mask '{path}' has {width} x {height} pixels, "
                    + $"the map {values.Length}: expected the same number.");
            }

            ForClass(statistics, readClass(), () => new MapStatistics(seed))
                .Add(values, truth is null ? [] : isFixed ? truth.At(width, mode) : truth.Pixels, width, height, isAnomalous == true);
        }

        var metrics = statistics.ToDictionary(entry => entry.Key, entry => entry.Value.Compute());
        return new(metrics, PixelMetrics.Mean(metrics.Values)) { Warnings = Warnings(metrics, one => one.Warnings) };
    }

    private static (int Width, int Height) Square(int length, DataViewRow row)
    {
        var side = (int)Math.Round(Math.Sqrt(length));
        return side * side == length
            ? (side, side)
            : throw new ArgumentException($"Row {row.Position}: expected a square map, got {length} values.");
    }

    private static T ForClass<T>(Dictionary<string, T> all, string? className, Func<T> create)
    {
        var name = className ?? InspectionOptions.DefaultClassName;
        return all.TryGetValue(name, out var known) ? known : all[name] = create();
    }

    private static string[] Warnings<T>(Dictionary<string, T> metrics, Func<T, IReadOnlyList<string>> of)
        => metrics.Count == 0
            ? ["There are no rows: no metric can be told."]
            : [.. metrics.SelectMany(entry => of(entry.Value).Select(warning => $"{entry.Key}: {warning}"))];
}
