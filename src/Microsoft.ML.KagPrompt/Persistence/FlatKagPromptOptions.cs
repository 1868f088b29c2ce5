using System.Text.Json;
using Microsoft.ML.KagPrompt.Model.Version2;

namespace Microsoft.ML.KagPrompt.Persistence;

/// <summary>
/// A transformer's options as package 0.1.0 wrote them: one flat object, the method's and the columns' beside each other, with that
/// version's names and defaults.
/// </summary>
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
        => (json.Deserialize<FlatKagPromptOptions>(Json) ?? throw new JsonException("null")).Arranged();

    /// <summary>The same in today's arrangement.</summary>
    private KagPromptOptions Arranged()
    {
        var model = ToCurrent();
        return new()
        {
            Backbone = model.Backbone,
            Images = model.Images with { MaxPixels = MaxImagePixels },
            Prompt = ToPrompt(),
            Memory = ToMemory(),
            Coreset = CoresetOptions.Off,
            Fusion = ToFusion(),
            Training = ToTraining(),
            Threshold = model.Threshold,
            Columns = new()
            {
                Image = ImageColumnName,
                ClassName = ClassNameColumnName,
                Label = LabelColumnName,
                Support = SupportColumnName,
                Score = ScoreColumnName,
                PredictedLabel = PredictedLabelColumnName,
                Probability = ProbabilityColumnName,
                AnomalyMap = AnomalyMapColumnName,
                Heatmap = HeatmapColumnName,
                MapResolution = MapResolution,
            },
            InferenceBatchSize = InferenceBatchSize,
            Device = Device,
            Seed = Seed,
        };
    }
}
