using Microsoft.ML.KagPrompt.Evaluation;

namespace Microsoft.ML.KagPrompt;

/// <summary>
/// The few-shot evaluation of the field: for every product, draw of support images and number of shots, fit or adapt,
/// score the test images, and tell the metrics.
/// </summary>
public static class FewShotEvaluation
{
    /// <summary>
    /// Evaluates data sets. All images and masks are looked at first, and those that cannot be used named together.
    /// A prompt is trained once for all the cells that can share it; images are read one by one, a few at a time.
    /// </summary>
    /// <param name="datasets">What is evaluated; normal images of the training split are drawn from, labelled ones of the test split
    /// scored. Their names differ.</param>
    /// <param name="options">The choices of every fit. Seed and the number of support images are each draw's own.</param>
    /// <param name="images">Where images and masks come from.</param>
    /// <param name="protocol">Shots, draws, ablations; null: the defaults.</param>
    /// <param name="initial">A model whose backbone is used and whose graph prompt is the starting point;
    /// it stays the caller's and as it was.</param>
    /// <param name="progress">Told on this thread.</param>
    /// <param name="cancellationToken">Stops between images and steps;
    /// cells in <see cref="FewShotProtocol.CellFolder"/> stay, whole.</param>
    /// <returns>Plain data.</returns>
    /// <exception cref="ArgumentException">Options or protocol are out of range, or two data sets are called alike.</exception>
    /// <exception cref="InsufficientDataException">A product has fewer normal images than shots, or none to score.</exception>
    /// <exception cref="ImageReadException">Images or masks cannot be used; names them.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static FewShotResults Run(
        IReadOnlyList<FewShotDataset> datasets, InspectionOptions options, IEvaluationImages images, FewShotProtocol? protocol = null,
        KagPromptModel? initial = null, IProgress<FewShotProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(datasets);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(images);
        protocol ??= new();
        protocol.Validate(options);
        if (datasets.GroupBy(dataset => dataset.Name).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            throw new ArgumentException(
                $"datasets: expected different names, got '{twice.Key}' {twice.Count()} times. "
                    + "Rename one: results tell data sets apart by their names.",
                nameof(datasets));
        }

        using var held = initial?.Hold();
        using var run = new EvaluationRun(datasets, options, protocol, images, initial, progress, cancellationToken);
        return run.Compute();
    }
}
