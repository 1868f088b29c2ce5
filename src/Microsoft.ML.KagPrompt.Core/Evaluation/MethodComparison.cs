using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Evaluation;

namespace Microsoft.ML.KagPrompt;

/// <summary>Which method suits a part: every one that the backbone allows, fitted on the same photographs and ranked.</summary>
/// <remarks>Thread-safe. One fitted model is held at a time.</remarks>
public static class MethodComparison
{
    /// <summary>
    /// Fits each method on the data set's normal images. Where its test side has good images and defects, the methods are ranked by those;
    /// else by how well each tells left-out photographs from the same with synthetic defects.
    /// </summary>
    /// <param name="dataset">
    /// Normal images of the training split are fitted on, labelled ones of the test split scored, if there are any.
    /// </param>
    /// <param name="options">The choices that the methods share; <see cref="InspectionOptions.Method"/> is not looked at.</param>
    /// <param name="images">Where images and masks come from.</param>
    /// <param name="choices">Methods, number of photographs, pictures; null: the defaults.</param>
    /// <param name="progress">Told on this thread, at every fit and warning.</param>
    /// <param name="cancellationToken">Stops between images and steps.</param>
    /// <returns>Plain data, which holds no native memory.</returns>
    /// <exception cref="ArgumentException">Choices are out of range, or the backbone allows none of the methods.</exception>
    /// <exception cref="InsufficientDataException">A product has fewer normal images than are asked for, or there is none.</exception>
    /// <exception cref="ImageReadException">Images or masks cannot be used; names them.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static ComparisonResults Run(
        FewShotDataset dataset, InspectionOptions options, IEvaluationImages images, ComparisonChoices? choices = null,
        IProgress<FewShotProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(images);
        choices ??= new();
        choices.Validate();
        options.Validate();
        return new ComparisonRun(dataset, options, images, choices, progress, cancellationToken).Compute();
    }
}
