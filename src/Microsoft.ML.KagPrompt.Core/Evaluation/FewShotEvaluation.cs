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
    /// A prompt is trained once for all the cells that can share it; images are read one by one, a few at a time. What is computed of a
    /// product's images is kept for its other cells: up to 4 GiB, and a quarter of the machine's memory, and half a GiB of pictures.
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
        ArgumentNullException.ThrowIfNull(options);
        return Run(datasets, [new() { Options = options, Protocol = protocol ?? new() }], images, initial, progress, cancellationToken)[0];
    }

    /// <summary>
    /// Evaluates several methods on the same draws, product by product: what a backbone makes of an image is computed once for all of them,
    /// draws and numbers of shots (within 4 GiB, and a quarter of the machine's memory). The seconds that cells tell are those of a
    /// method alone.
    /// </summary>
    /// <param name="datasets">What is evaluated; normal images of the training split are drawn from, labelled ones of the test split
    /// scored. Their names differ.</param>
    /// <param name="methods">The methods, with their protocols.</param>
    /// <param name="images">Where images and masks come from.</param>
    /// <param name="progress">Told on this thread; of all methods' cells together.</param>
    /// <param name="cancellationToken">Stops between images and steps;
    /// cells in <see cref="FewShotProtocol.CellFolder"/> stay, whole.</param>
    /// <returns>Plain data, of each method.</returns>
    /// <exception cref="ArgumentException">There is no method, options or a protocol are out of range, or two data sets are called alike.
    /// </exception>
    /// <exception cref="InsufficientDataException">A product has fewer normal images than shots, or none to score.</exception>
    /// <exception cref="ImageReadException">Images or masks cannot be used; names them.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static IReadOnlyList<FewShotResults> RunAll(
        IReadOnlyList<FewShotDataset> datasets, IReadOnlyList<EvaluatedMethod> methods, IEvaluationImages images,
        IProgress<FewShotProgress>? progress = null, CancellationToken cancellationToken = default)
        => Run(datasets, methods, images, null, progress, cancellationToken);

    private static FewShotResults[] Run(
        IReadOnlyList<FewShotDataset> datasets, IReadOnlyList<EvaluatedMethod> methods, IEvaluationImages images, KagPromptModel? initial,
        IProgress<FewShotProgress>? progress, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(datasets);
        ArgumentNullException.ThrowIfNull(methods);
        ArgumentNullException.ThrowIfNull(images);
        if (methods.Count == 0 || methods.Any(method => method is not { Options: not null, Protocol: not null }))
        {
            throw new ArgumentException("methods: expected one or more, each with options and a protocol, got "
                + (methods.Count == 0 ? "none." : $"{methods.Count}, and of one there is null."), nameof(methods));
        }

        foreach (var method in methods)
        {
            method.Protocol.Validate(method.Options);
        }

        if (datasets.GroupBy(dataset => dataset.Name).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            throw new ArgumentException(
                $"datasets: expected different names, got '{twice.Key}' {twice.Count()} times. "
                    + "Rename one: results tell data sets apart by their names.",
                nameof(datasets));
        }

        using var held = initial?.Hold();
        using var sharing = new EvaluationSharing(images);
        var runs = new List<EvaluationRun>();
        var told = progress is null || methods.Count == 1 ? progress : new SumOfRuns(runs, progress);
        try
        {
            runs.AddRange(methods.Select(method
                => new EvaluationRun(datasets, method.Options, method.Protocol, images, initial, sharing, told, cancellation)));
            foreach (var run in runs)
            {
                run.Check(isFirst: run == runs[0]);
            }

            var products = runs.Select(run => run.ByProduct().GetEnumerator()).ToArray();
            // Each in its turn, all of a product before the next: their features are then let go.
            while (products.Count(product => product.MoveNext()) > 0)
            {
                sharing.EndProduct();
            }

            return [.. runs.Select(run => run.Results)];
        }
        finally
        {
            runs.ForEach(run => run.Dispose());
        }
    }

    private sealed class SumOfRuns(List<EvaluationRun> runs, IProgress<FewShotProgress> progress) : IProgress<FewShotProgress>
    {
        public void Report(FewShotProgress value)
            => progress.Report(value with { Done = runs.Sum(run => run.Done), Total = runs.Sum(run => run.Total) });
    }
}
