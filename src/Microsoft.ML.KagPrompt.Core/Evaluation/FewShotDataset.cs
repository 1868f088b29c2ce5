namespace Microsoft.ML.KagPrompt;

/// <summary>A data set that is evaluated, or trained on.</summary>
/// <param name="Name">What it is called in results.</param>
/// <param name="Images">Its images of all splits, as <see cref="AnomalyDataset.List"/> gives them; their class names tell its products
/// apart. Paths are names of images: whoever reads them (<see cref="IEvaluationImages"/>) decides whether they are files.</param>
public sealed record FewShotDataset(string Name, IReadOnlyList<DatasetImage> Images)
{
    /// <summary>The folder that images are named from in messages; null: they are named by their whole path.</summary>
    public string? Folder { get; init; }

    /// <summary>How it is laid out; needed with <see cref="SupportDraw.Paper"/> alone, of which VisA has a draw of its own.</summary>
    public DatasetLayout Layout { get; init; }
}
