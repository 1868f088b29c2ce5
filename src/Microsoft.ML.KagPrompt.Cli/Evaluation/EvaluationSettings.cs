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

    /// <summary>The methods, by name; the options are KAG-prompt's where it is among them, else the first one's.</summary>
    public IReadOnlyList<string> Methods { get; init; } = [InspectionMethods.NameOf(new KagOptions())];

    /// <summary>What was said for all methods that know it.</summary>
    public MethodChoices Choices { get; init; } = new();

    /// <summary>KAG-prompt's choices; null: it is not evaluated.</summary>
    public KagOptions? Kag => Options.Method as KagOptions;

    /// <summary>The run's own configuration.</summary>
    public FewShotConfiguration Own => FewShotConfiguration.From(Options);

    /// <summary>The same for each method alone: what is KAG-prompt's is left out of the others'.</summary>
    public IEnumerable<EvaluationSettings> PerMethod()
        => Methods.Select(name => InspectionMethods.Default(name) is KagOptions ? this : this with
        {
            Methods = [name],
            // An ablation that was asked for without KAG-prompt is refused with a word, not left out.
            Protocol = Kag is null ? Protocol : Protocol with { Ablations = [] },
            TrainOn = Kag is null ? TrainOn : null,
            Options = Options with { Method = Choices.For(name) },
        });

    /// <summary>Lists a data set; what of it is not read is reported.</summary>
    public FewShotDataset List(string path, Action<string> tell)
    {
        var dataset = new FewShotDataset(Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path))),
            AnomalyDataset.List(path, Layout, mask => DefectMask.Read(mask).ShowsDefect))
        {
            Layout = Layout == DatasetLayout.Auto ? AnomalyDataset.LayoutOf(path) : Layout,
            Folder = Directory.Exists(path) ? path : Path.GetDirectoryName(Path.GetFullPath(path))!,
        };
        foreach (var note in DataNotes.LeftOut(path, dataset.Folder))
        {
            tell($"{dataset.Name}: {note}");
        }

        return dataset;
    }
}
