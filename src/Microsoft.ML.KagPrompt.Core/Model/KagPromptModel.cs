using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Training;

namespace Microsoft.ML.KagPrompt.Model;

/// <summary>A fitted few-shot inspector: frozen vision tower, graph prompt, and per class the text features, memory bank and threshold.</summary>
/// <remarks>Immutable. <see cref="Inspect"/> is thread-safe. Owns native memory: dispose it.</remarks>
public sealed class KagPromptModel : IDisposable
{
    /// <summary>The options it was fitted with.</summary>
    public InspectionOptions Options => throw new NotImplementedException();

    /// <summary>Side S of the maps <see cref="Inspect"/> returns.</summary>
    public int MapSize => throw new NotImplementedException();

    /// <summary>Classes that have a memory bank or a threshold.</summary>
    public IReadOnlyList<string> ClassNames => throw new NotImplementedException();

    /// <summary>Decision threshold of a class.</summary>
    public float ThresholdOf(string className) => throw new NotImplementedException();

    /// <summary>Fits on images, enumerated once. Nothing is left behind when it throws.</summary>
    public static KagPromptModel Fit(IEnumerable<TrainingImage> images, InspectionOptions options, KagPromptModel? initial = null,
        IProgress<TrainingProgress>? progress = null, CancellationToken cancellation = default) => throw new NotImplementedException();

    /// <summary>Adapts to new parts without training: same graph prompt, new memory banks and thresholds for the classes given.</summary>
    public KagPromptModel WithSupport(IEnumerable<TrainingImage> images, CancellationToken cancellation = default) => throw new NotImplementedException();

    /// <summary>The same model with another decision threshold for all classes (or one). Shares weights with the original, each may be disposed apart.</summary>
    public KagPromptModel WithThreshold(float threshold, string? className = null) => throw new NotImplementedException();

    /// <summary>Inspects a batch; classNames[i] may be null for the default class.</summary>
    /// <param name="images">Images of any size.</param>
    /// <param name="classNames">A class for each image.</param>
    /// <param name="atImageSize">False: maps are S × S. True: maps have each image's own size.</param>
    public IReadOnlyList<Inspection> Inspect(IReadOnlyList<PixelBuffer> images, IReadOnlyList<string?> classNames, bool atImageSize = false) => throw new NotImplementedException();

    /// <summary>Writes the whole model, manifest and tensors, as one safetensors stream.</summary>
    public void Save(Stream destination) => throw new NotImplementedException();

    /// <summary>Reads what <see cref="Save"/> wrote onto a device ("auto", "cpu", "cuda:N").</summary>
    public static KagPromptModel Load(Stream source, string device = "auto") => throw new NotImplementedException();

    /// <inheritdoc/>
    public void Dispose() => throw new NotImplementedException();
}
