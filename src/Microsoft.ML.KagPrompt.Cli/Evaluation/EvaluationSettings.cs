using Microsoft.ML.KagPrompt.Cli.Reports;
using Microsoft.ML.KagPrompt.Datasets;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Cli.Evaluation;

/// <summary>What is evaluated, and how.</summary>
internal sealed record EvaluationSettings
{
    /// <summary>Data sets: folders or manifests.</summary>
    public required IReadOnlyList<string> Data { get; init; }

    /// <summary>The data set that the graph prompt is trained on; null: each product trains its own, if there are epochs.</summary>
    public string? TrainOn { get; init; }

    /// <summary>A trained model's zip that is used without training; null: none.</summary>
    public string? Initial { get; init; }

    public DatasetLayout Layout { get; init; } = DatasetLayout.Auto;

    /// <summary>Shots, draws, ablations, cells.</summary>
    public required FewShotProtocol Protocol { get; init; }

    /// <summary>Everything else.</summary>
    public required InspectionOptions Options { get; init; }

    /// <summary>The method's choices.</summary>
    public KagOptions Kag => (KagOptions)Options.Method;

    /// <summary>The run's own configuration.</summary>
    public FewShotConfiguration Own => FewShotConfiguration.Of(Options);

    /// <summary>Lists a data set; what of it is not read is reported.</summary>
    public FewShotDataset List(string path, Action<string> tell)
    {
        var dataset = new FewShotDataset(Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path))),
            AnomalyDataset.List(path, Layout, mask => DefectMask.Read(mask).ShowsDefect))
        {
            Folder = Directory.Exists(path) ? path : Path.GetDirectoryName(Path.GetFullPath(path))!,
        };
        foreach (var note in DataNotes.LeftOut(path, dataset.Folder))
        {
            tell($"{dataset.Name}: {note}");
        }

        return dataset;
    }
}
