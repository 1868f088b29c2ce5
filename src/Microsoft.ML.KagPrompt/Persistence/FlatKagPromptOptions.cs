using System.Text.Json;
using Microsoft.ML.KagPrompt.Model.Version2;

namespace Microsoft.ML.KagPrompt.Persistence;

/// <summary>A transformer's options as package 0.1.0 wrote them: one flat object, the method's and the columns' beside each other, with that version's names and defaults.</summary>
internal sealed record FlatKagPromptOptions : FlatOptions
{
    public string ImageColumnName { get; init; } = "Image";

    public string? ClassNameColumnName { get; init; }

    public string? LabelColumnName { get; init; }

    public string? SupportColumnName { get; init; }

    public string ScoreColumnName { get; init; } = "Score";

    public string PredictedLabelColumnName { get; init; } = "PredictedLabel";

    public string? ProbabilityColumnName { get; init; } = "Probability";

    public string AnomalyMapColumnName { get; init; } = "AnomalyMap";

    public string? HeatmapColumnName { get; init; }

    public MapResolution MapResolution { get; init; } = MapResolution.Model;

    public int InferenceBatchSize { get; init; } = 8;

    public int MaxImagePixels { get; init; } = 100_000_000;

    public static KagPromptOptions Parse(JsonElement json)
        => (json.Deserialize<FlatKagPromptOptions>(Json) ?? throw new JsonException("null")).ToCurrent();

    /// <summary>The same in today's arrangement.</summary>
    private KagPromptOptions ToCurrent() => (KagPromptOptions)ApplyTo(new KagPromptOptions
    {
        ImageColumnName = ImageColumnName,
        ClassNameColumnName = ClassNameColumnName,
        LabelColumnName = LabelColumnName,
        SupportColumnName = SupportColumnName,
        ScoreColumnName = ScoreColumnName,
        PredictedLabelColumnName = PredictedLabelColumnName,
        ProbabilityColumnName = ProbabilityColumnName,
        AnomalyMapColumnName = AnomalyMapColumnName,
        HeatmapColumnName = HeatmapColumnName,
        MapResolution = MapResolution,
        InferenceBatchSize = InferenceBatchSize,
        MaxImagePixels = MaxImagePixels,
    });
}
