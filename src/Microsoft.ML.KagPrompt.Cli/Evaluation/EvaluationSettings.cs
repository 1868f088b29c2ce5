using System.Text.Json;
using Microsoft.ML.KagPrompt.Datasets;
using Microsoft.ML.KagPrompt.Model;

namespace Microsoft.ML.KagPrompt.Cli.Evaluation;

/// <summary>What is evaluated, and how.</summary>
internal sealed record EvaluationSettings
{
    /// <summary>Data sets: folders or manifests.</summary>
    public required IReadOnlyList<string> Data { get; init; }

    /// <summary>The data set whose normal images train the graph prompt once, for all products of the others; null: each product trains its own, if there are epochs.</summary>
    public string? TrainOn { get; init; }

    /// <summary>A trained model's zip that is used without training; null: none.</summary>
    public string? Initial { get; init; }

    public DatasetLayout Layout { get; init; } = DatasetLayout.Auto;

    /// <summary>Numbers of support images.</summary>
    public required IReadOnlyList<int> Shots { get; init; }

    /// <summary>Number of support draws.</summary>
    public required int Seeds { get; init; }

    /// <summary>Everything else.</summary>
    public required KagPromptOptions Options { get; init; }

    /// <summary>What is varied around <see cref="Own"/>.</summary>
    public IReadOnlyList<Ablation> Ablations { get; init; } = [];

    /// <summary>The run's own configuration.</summary>
    public Configuration Own => Configuration.Of(Options);

    /// <summary>All configurations, the run's own first, each once; those that share a training follow one another.</summary>
    public IReadOnlyList<Configuration> Configurations =>
    [
        .. Ablations.SelectMany(ablation => ablation.Points).Select(point => point.Configuration).Prepend(Own).Distinct().GroupBy(configuration => configuration.Iterations).SelectMany(group => group),
    ];

    /// <summary>What a cell's result depends on, beside its own name.</summary>
    /// <param name="images">Of the product's images, what <see cref="FileStamps"/> says.</param>
    /// <param name="trainedOn">Likewise of the images of <see cref="TrainOn"/>; null: there are none.</param>
    /// <param name="configuration">The cell's.</param>
    public string Fingerprint(string images, string? trainedOn, Configuration configuration)
    {
        var own = JsonSerializer.Serialize(new
        {
            Images = images,
            TrainedOn = trainedOn,
            Initial = Initial is null ? null : FileStamps.Of(Initial),
            Checkpoint = Options.Prompt.CheckpointPath is { } file ? FileStamps.Of(file) : null,
            Backbone = FileStamps.Of(Options.Backbone.Name),
            MemoryBackbone = Options.Backbone.MemoryName is null ? null : FileStamps.Of(Options.Backbone.MemoryName),
            Options.Prompt.Variant,
            Options.Backbone.Precision,
            Options.Images.Size,
            Options.Training.Epochs,
            Options.Prompt.FromScratch,
            // Of the library's contents, its weights included: builds of one version may differ in them.
            Library = typeof(InspectionOptions).Assembly.ManifestModule.ModuleVersionId,
        });
        return configuration == Own ? own : own + JsonSerializer.Serialize(configuration, EvaluationJson.Options);
    }
}
