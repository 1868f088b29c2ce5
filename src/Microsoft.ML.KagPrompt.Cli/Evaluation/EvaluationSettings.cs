using System.Text.Json;
using Microsoft.ML.KagPrompt.Datasets;

namespace Microsoft.ML.KagPrompt.Cli.Evaluation;

/// <summary>What is evaluated, and how.</summary>
internal sealed record EvaluationSettings
{
    /// <summary>Data sets: folders or manifests.</summary>
    public required IReadOnlyList<string> Data { get; init; }

    /// <summary>The data set whose normal images train the graph prompt once, for all products of the others; null: each product trains its own, if there are epochs.</summary>
    public string? TrainOn { get; init; }

    /// <summary>A trained model's zip, or the authors' checkpoint, that is used without training; null: none.</summary>
    public string? Initial { get; init; }

    public DatasetLayout Layout { get; init; } = DatasetLayout.Auto;

    /// <summary>Numbers of support images.</summary>
    public required IReadOnlyList<int> Shots { get; init; }

    /// <summary>Number of support draws.</summary>
    public required int Seeds { get; init; }

    /// <summary>Everything else.</summary>
    public required KagPromptOptions Options { get; init; }

    /// <summary>What a cell's result depends on, beside its own name.</summary>
    public string Fingerprint(string dataset) => JsonSerializer.Serialize(new
    {
        Dataset = Path.GetFullPath(dataset),
        TrainOn = TrainOn is null ? null : Path.GetFullPath(TrainOn),
        Initial = Initial is null ? null : Path.GetFullPath(Initial),
        Layout,
        Options.Backbone,
        Options.MemoryBackbone,
        Options.Variant,
        Options.Precision,
        Options.ImageSize,
        Options.Epochs,
        Version = typeof(KagPromptOptions).Assembly.GetName().Version?.ToString(),
    });
}
