using System.Text.Json.Serialization;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.Training;

namespace Microsoft.ML.KagPrompt;

/// <summary>All choices of <c>DetectAnomaliesKag</c>: the method's, and the columns it reads and writes.</summary>
/// <remarks>Immutable; safe to share between threads and fits.</remarks>
public sealed record KagPromptOptions : InspectionOptions
{
    /// <summary>Column of images (MLImage) of any size.</summary>
    public string ImageColumnName { get; init; } = "Image";

    /// <summary>Text or key column of product names; null: one class for all rows. Prompts, memory banks and thresholds are per class. Rows to score need not have it where the model knows one class.</summary>
    public string? ClassNameColumnName { get; init; }

    /// <summary>
    /// Single (0 normal, above 0 anomalous, NaN unknown), Boolean (true anomalous) or key column read while fitting; null: all rows are
    /// normal. Of a key, the values' names say what they mean (good, ok, normal, pass, 0, false; bad, defect, anomaly, ng, nok, fail, 1, true;
    /// and the like), never their order; others need <see cref="NormalLabel"/>.
    /// </summary>
    public string? LabelColumnName { get; init; }

    /// <summary>
    /// The label that means a sound part ("good", "false", "1", ...), as text; every other label is then a defect. Null: it follows from
    /// the label column's type and names.
    /// </summary>
    public string? NormalLabel { get; init; }

    /// <summary>Boolean column read while fitting: true rows alone make the memory bank; null: the library chooses.</summary>
    public string? SupportColumnName { get; init; }

    /// <summary>Output: anomaly score s (Single), higher is more anomalous.</summary>
    public string ScoreColumnName { get; init; } = "Score";

    /// <summary>Output: whether the score exceeds the class's threshold (Boolean).</summary>
    public string PredictedLabelColumnName { get; init; } = "PredictedLabel";

    /// <summary>Output: chance of a defect (Single, 0..1), 0.5 at the threshold; null: no such column.</summary>
    public string? ProbabilityColumnName { get; init; } = "Probability";

    /// <summary>Output: anomaly map (vector of Single), row by row.</summary>
    public string AnomalyMapColumnName { get; init; } = "AnomalyMap";

    /// <summary>
    /// Output: the image with its map over it (MLImage of the image's size); null: no such column. The consumer disposes what it gets: with
    /// <c>GetColumn&lt;MLImage&gt;</c>, a cursor, or a member <c>[ImageType] MLImage</c> in CreateEnumerable and prediction engines.
    /// <see cref="HeatmapPngColumnName"/> gives bytes that need no disposing.
    /// </summary>
    public string? HeatmapColumnName { get; init; }

    /// <summary>
    /// Output: the same picture as a PNG file's bytes (vector of Byte; a <c>byte[]</c> member reads it); null: no such column.
    /// </summary>
    public string? HeatmapPngColumnName { get; init; }

    /// <summary>The size of the maps.</summary>
    public MapResolution MapResolution { get; init; } = MapResolution.Model;

    /// <summary>Rows a cursor reads ahead and scores together, 1 to 1024.</summary>
    public int InferenceBatchSize { get; init; } = 8;

    /// <summary>Largest image, in pixels, that is accepted.</summary>
    public int MaxImagePixels { get; init; } = 100_000_000;

    /// <summary>A fitted transformer whose backbone and graph prompt are the starting point; it stays the caller's and as it was.</summary>
    [JsonIgnore]
    public KagPromptTransformer? InitialModel { get; init; }

    /// <summary>
    /// Instead of <see cref="InitialModel"/>: a model zip with one <see cref="KagPromptTransformer"/> as the starting point, or a checkpoint that the paper's authors published
    /// (train_on_mvtec.pt and the like; needs <see cref="InspectionOptions.Variant"/> Released and the backbone it was trained on).
    /// </summary>
    [JsonIgnore]
    public string? InitialModelPath { get; init; }

    /// <summary>Told of every step of a fit, on the fitting thread, beside the MLContext's log.</summary>
    [JsonIgnore]
    public IProgress<TrainingProgress>? Progress { get; init; }

    /// <summary>Stops a fit between images and steps; ML.NET's own cancellation does too.</summary>
    [JsonIgnore]
    public CancellationToken Cancellation { get; init; }

    internal override void CollectFaults(OptionFaults faults)
    {
        base.CollectFaults(faults);
        string?[] names = [ScoreColumnName, PredictedLabelColumnName, AnomalyMapColumnName, ProbabilityColumnName, HeatmapColumnName, HeatmapPngColumnName];
        var outputs = names.OfType<string>().ToArray();
        faults
            .Require(!string.IsNullOrEmpty(ImageColumnName), nameof(ImageColumnName), "a column name", ImageColumnName)
            .Require(ClassNameColumnName != "", nameof(ClassNameColumnName), "a column name or null", ClassNameColumnName)
            .Require(LabelColumnName != "", nameof(LabelColumnName), "a column name or null", LabelColumnName)
            .Require(SupportColumnName != "", nameof(SupportColumnName), "a column name or null", SupportColumnName)
            .Require(!string.IsNullOrEmpty(ScoreColumnName), nameof(ScoreColumnName), "a column name", ScoreColumnName)
            .Require(!string.IsNullOrEmpty(PredictedLabelColumnName), nameof(PredictedLabelColumnName), "a column name", PredictedLabelColumnName)
            .Require(!string.IsNullOrEmpty(AnomalyMapColumnName), nameof(AnomalyMapColumnName), "a column name", AnomalyMapColumnName)
            .Require(ProbabilityColumnName != "", nameof(ProbabilityColumnName), "a column name or null", ProbabilityColumnName)
            .Require(HeatmapColumnName != "", nameof(HeatmapColumnName), "a column name or null", HeatmapColumnName)
            .Require(HeatmapPngColumnName != "", nameof(HeatmapPngColumnName), "a column name or null", HeatmapPngColumnName)
            .Require(NormalLabel is null || !string.IsNullOrWhiteSpace(NormalLabel), nameof(NormalLabel), "a label or null", NormalLabel)
            .Require(NormalLabel is null || LabelColumnName is not null, nameof(NormalLabel), "null without a LabelColumnName", NormalLabel)
            .Require(outputs.Distinct().Count() == outputs.Length, "output columns", "different names", string.Join(", ", outputs))
            .Require(Enum.IsDefined(MapResolution), nameof(MapResolution), "a defined value", MapResolution)
            .Require(InferenceBatchSize is >= 1 and <= 1024, nameof(InferenceBatchSize), "1 to 1024", InferenceBatchSize)
            .Require(MaxImagePixels >= 1, nameof(MaxImagePixels), "1 or more", MaxImagePixels)
            .Require(InitialModel is null || InitialModelPath is null, nameof(InitialModel), "at most one of InitialModel and InitialModelPath", "both");
    }
}
