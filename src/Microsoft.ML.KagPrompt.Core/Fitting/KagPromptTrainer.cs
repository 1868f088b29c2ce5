using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Calibration;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Fitting;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt;

/// <summary>Makes models from images: fitting (with or without training the graph prompt) and adapting to new parts.</summary>
/// <remarks>Thread-safe; nothing is left behind when a call throws or is cancelled.</remarks>
public static class KagPromptTrainer
{
    /// <summary>
    /// Trains the graph prompt on the normal images and their synthetic twins (unless <see cref="TrainingOptions.Epochs"/> is 0), then
    /// builds each class's memory bank and threshold. Without a prompt, trained here,
    /// taken from <paramref name="initial"/> or come with the backbone, the bank alone scores.
    /// </summary>
    /// <param name="images">Enumerated once; kept at S × S while fitting (3·S² bytes an image).</param>
    /// <param name="options">The choices.</param>
    /// <param name="initial">A model whose backbone is used and whose graph prompt is the starting point; it stays as it was.</param>
    /// <param name="progress">Told of every step.</param>
    /// <param name="cancellation">Stops between images and steps.</param>
    /// <returns>The model; the caller owns it.</returns>
    /// <exception cref="ArgumentException">Options are out of range, or do not fit <paramref name="initial"/>.</exception>
    /// <exception cref="CheckpointFormatException">A file of weights is damaged.</exception>
    /// <exception cref="CheckpointMismatchException">A file of weights holds others than were asked for.</exception>
    /// <exception cref="InsufficientDataException">No image, or a class without a normal one.</exception>
    /// <exception cref="ImageReadException">An image has another shape than its class's region.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static KagPromptModel Fit(IEnumerable<TrainingImage> images, InspectionOptions options, KagPromptModel? initial = null,
        IProgress<TrainingProgress>? progress = null, CancellationToken cancellation = default)
        => Fit(images, options, initial, null, progress, cancellation);

    /// <summary>The same; towers and features are those of other fits, too.</summary>
    internal static KagPromptModel Fit(IEnumerable<TrainingImage> images, InspectionOptions options, KagPromptModel? initial,
        FitSharing? sharing, IProgress<TrainingProgress>? progress, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        TorchRuntime.Require();
        using var held = initial?.Hold();
        var device = DeviceChoice.Resolve(options.Device);
        var fit = new FitSession(options, device, new ProgressClock(progress), cancellation, sharing);
        try
        {
            return fit.Run(images, initial);
        }
        catch
        {
            NativeHeap.Release();
            throw;
        }
    }

    /// <summary>
    /// Sees whether a fit can begin, before there are images: the backbone is there and has what the method needs, and the options fit it.
    /// </summary>
    /// <param name="options">The choices.</param>
    /// <param name="initial">As for the fit; it stays as it was.</param>
    /// <exception cref="ArgumentException">Options are out of range, do not fit <paramref name="initial"/>,
    /// or name a backbone that lacks what the method needs.</exception>
    /// <exception cref="CheckpointFormatException">A file of weights is damaged.</exception>
    /// <exception cref="CheckpointMismatchException">A file of weights holds others than were asked for.</exception>
    public static void Check(InspectionOptions options, KagPromptModel? initial = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        TorchRuntime.Require();
        using var held = initial?.Hold();
        new FitSession(options, DeviceChoice.Resolve(options.Device), new ProgressClock(null), CancellationToken.None).Check(initial);
    }

    /// <summary>
    /// Adapts a model to the classes of these images without training: same prompt, new memory banks and thresholds. Other classes stay.
    /// </summary>
    /// <param name="model">Stays as it was; shares its weights with the result.</param>
    /// <param name="images">Normal images, and labelled defects for the threshold where there are any.</param>
    /// <param name="progress">Told of every image.</param>
    /// <param name="cancellation">Stops between images.</param>
    /// <param name="regions">Which pixels of these classes' images are inspected, by class name; null, or a class left out:
    /// what the model's options say.</param>
    /// <returns>The adapted model; the caller owns it.</returns>
    /// <exception cref="InsufficientDataException">No image, or a class without a normal one.</exception>
    /// <exception cref="ArgumentException">A region is of no class of the images, or leaves nothing to inspect.</exception>
    /// <exception cref="ImageReadException">An image has another shape than its class's region.</exception>
    public static KagPromptModel Adapt(KagPromptModel model, IEnumerable<TrainingImage> images,
        IProgress<TrainingProgress>? progress = null, CancellationToken cancellation = default,
        IReadOnlyDictionary<string, InspectionRegion>? regions = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(images);
        using var held = model.Hold();
        var options = regions is null
            ? model.Options
            : model.Options with
            {
                Regions = model.Options.Regions.Concat(regions).GroupBy(entry => entry.Key)
                    .ToDictionary(group => group.Key, group => group.Last().Value)
            };
        options.Validate();
        var fit = new FitSession(options, model.Network.Device, new ProgressClock(progress), cancellation);
        return fit.Adapt(model, images, regions?.Keys ?? []);
    }

    /// <summary>
    /// Places a model's thresholds anew, by the share of normal parts they may reject, from the normal scores it keeps; no image is needed.
    /// </summary>
    /// <param name="model">Stays as it was; shares its weights with the result.</param>
    /// <param name="falseRejectRate">Above 0, at most 0.5.</param>
    /// <param name="className">The class whose threshold is placed; null: every class's.</param>
    /// <returns>The model with the new thresholds; the caller owns it.</returns>
    /// <exception cref="ArgumentException">The rate is out of range, or the class is not known.</exception>
    /// <exception cref="InsufficientDataException">A class has neither a model of its normal scores nor two of them.</exception>
    public static KagPromptModel Recalibrate(KagPromptModel model, float falseRejectRate, string? className = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (falseRejectRate is not (> 0 and <= 0.5f))
        {
            throw new ArgumentException(FormattableString.Invariant(
                $"falseRejectRate: expected above 0, at most 0.5, got {falseRejectRate}."), nameof(falseRejectRate));
        }

        var placed = className is null ? null : model.KnownName(className);
        var calibrations = model.Classes.ToDictionary(entry => entry.Key, entry => placed is null || entry.Key == placed
            ? ThresholdRule.Recalibrated(entry.Key, entry.Value.Calibration, falseRejectRate) : entry.Value.Calibration);
        return model.With(model.Classes.ToDictionary(entry => entry.Key,
            entry => entry.Value with { Reference = entry.Value.Reference.Acquire(), Calibration = calibrations[entry.Key] }));
    }
}
