using System.Text.Json.Serialization;
using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt;

/// <summary>The columns that are read and written.</summary>
/// <remarks>Immutable; safe to share between threads.</remarks>
public sealed record ColumnOptions
{
    /// <summary>Input: images (MLImage) of any size.</summary>
    public string Image { get; init; } = "Image";

    /// <summary>
    /// Input: product names, text or key; null: one class for all rows. Prompts, memory banks and thresholds are per class. Rows to score
    /// need not have it where the model knows one class.
    /// </summary>
    public string? ClassName { get; init; }

    /// <summary>
    /// Input while fitting: Single (0 normal, above 0 anomalous, NaN unknown), Boolean (true anomalous) or key; null: all rows are normal.
    /// Of a key, the values' names say what they mean (good, ok, normal, pass, 0, false; bad, defect, anomaly, ng, nok, fail, 1, true; and
    /// the like), never their order; others need <see cref="NormalLabel"/>.
    /// </summary>
    public string? Label { get; init; }

    /// <summary>
    /// The label that means a sound part ("good", "false", "1", ...), as text; every other label is then a defect. Null: it follows from
    /// the label column's type and names.
    /// </summary>
    public string? NormalLabel { get; init; }

    /// <summary>Input while fitting: Boolean; true rows alone make the memory bank; null: the library chooses.</summary>
    public string? Support { get; init; }

    /// <summary>Output: anomaly score s (Single), higher is more anomalous.</summary>
    public string Score { get; init; } = "Score";

    /// <summary>
    /// Output: the verdict (Boolean): whether the score exceeds the class's threshold, or the image is foreign (<see cref="IsForeign"/>).
    /// </summary>
    public string PredictedLabel { get; init; } = "PredictedLabel";

    /// <summary>Output: chance of a defect (Single, 0..1), 0.5 at the threshold; null: no such column.</summary>
    public string? Probability { get; init; } = "Probability";

    /// <summary>Output: anomaly map (vector of Single), row by row.</summary>
    public string AnomalyMap { get; init; } = "AnomalyMap";

    /// <summary>
    /// Output: the image with its map over it (MLImage of the image's size); null: no such column. The consumer disposes what it gets: with
    /// <c>GetColumn&lt;MLImage&gt;</c>, a cursor, or a member <c>[ImageType] MLImage</c> in CreateEnumerable and prediction engines.
    /// <see cref="HeatmapPng"/> gives bytes that need no disposing.
    /// </summary>
    public string? Heatmap { get; init; }

    /// <summary>
    /// Output: the same picture as a PNG file's bytes (vector of Byte; a <c>byte[]</c> member reads it); null: no such column.
    /// </summary>
    public string? HeatmapPng { get; init; }

    /// <summary>
    /// Output: whether the image is unlike every support image (Boolean): not this part, or no proper picture of it. Then PredictedLabel is
    /// true whatever the score, and score, map and probability say little. Null: no such column.
    /// </summary>
    public string? IsForeign { get; init; } = "IsForeign";

    /// <summary>
    /// Output: why a row has no verdict (text), empty where it has one; null, the default: no such column, and a bad image ends the whole
    /// pass. With it the pass goes on: the row's Score and Probability are NaN, its map is empty (of the model's size and NaN throughout
    /// with <see cref="MapResolution.Model"/>), and PredictedLabel is true, for what was not seen is not passed.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ErrorColumnName { get; init; }

    /// <summary>The size of the maps.</summary>
    public MapResolution MapResolution { get; init; } = MapResolution.Model;

    internal void CollectFaults(OptionFaults faults, string group)
    {
        var outputs = new[] { Score, PredictedLabel, AnomalyMap, Probability, Heatmap, HeatmapPng, IsForeign, ErrorColumnName }
            .OfType<string>().ToArray();
        Named(nameof(Image), Image);
        Named(nameof(Score), Score);
        Named(nameof(PredictedLabel), PredictedLabel);
        Named(nameof(AnomalyMap), AnomalyMap);
        NamedOrNull(nameof(ClassName), ClassName);
        NamedOrNull(nameof(Label), Label);
        NamedOrNull(nameof(Support), Support);
        NamedOrNull(nameof(Probability), Probability);
        NamedOrNull(nameof(Heatmap), Heatmap);
        NamedOrNull(nameof(HeatmapPng), HeatmapPng);
        NamedOrNull(nameof(IsForeign), IsForeign);
        NamedOrNull(nameof(ErrorColumnName), ErrorColumnName);
        faults
            .Require(NormalLabel is null || !string.IsNullOrWhiteSpace(NormalLabel), $"{group}.{nameof(NormalLabel)}",
                "a label or null", NormalLabel)
            .Require(NormalLabel is null || Label is not null, $"{group}.{nameof(NormalLabel)}",
                $"null without a {group}.{nameof(Label)}", NormalLabel)
            .Require(outputs.Distinct().Count() == outputs.Length, "output columns", "different names", string.Join(", ", outputs))
            .Require(Enum.IsDefined(MapResolution), $"{group}.{nameof(MapResolution)}", "a defined value", MapResolution);

        void Named(string name, string? value) => faults.Require(!string.IsNullOrEmpty(value), $"{group}.{name}", "a column name", value);
        void NamedOrNull(string name, string? value) => faults.Require(value != "", $"{group}.{name}", "a column name or null", value);
    }
}
