using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt;

/// <summary>A fitted few-shot inspector: frozen vision tower, graph prompt, and per class the text features, memory bank and threshold.</summary>
/// <remarks>Immutable. <see cref="Inspect"/> is thread-safe; dispose it only when no inspection is under way. Owns native memory, shared with models made from it.</remarks>
public sealed class KagPromptModel : IDisposable
{
    /// <summary>Images encoded in one forward; bounds the memory of large batches.</summary>
    internal const int ForwardBatch = 8;

    private readonly Shared<InspectionNetwork> network;
    private readonly IReadOnlyDictionary<string, ClassState> classes;
    private int disposed;

    /// <summary>Takes over one ownership of the network and of each class.</summary>
    internal KagPromptModel(Shared<InspectionNetwork> network, IReadOnlyDictionary<string, ClassState> classes)
        => (this.network, this.classes) = (network, classes);

    /// <summary>The options it was fitted with.</summary>
    public InspectionOptions Options => Network.Options;

    /// <summary>Side S in pixels of the maps <see cref="Inspect"/> returns.</summary>
    public int MapSize => Network.ImageSize;

    /// <summary>Whether a graph prompt takes part in the scores; without one the memory bank alone scores.</summary>
    public bool HasPrompt => Network.Prompt is not null;

    /// <summary>Where it computes: "cpu" or "cuda:N".</summary>
    public string Device => Network.Device.ToString();

    /// <summary>The classes it knows.</summary>
    public IReadOnlyCollection<string> ClassNames => [.. classes.Keys];

    internal InspectionNetwork Network => network.Value;

    internal IReadOnlyDictionary<string, ClassState> Classes => classes;

    /// <summary>How a class's threshold came about.</summary>
    /// <exception cref="ArgumentException">The class is not known.</exception>
    public ThresholdCalibration CalibrationOf(string className) => State(className).Calibration;

    /// <summary>Inspects images; higher scores are more anomalous (equations 12 to 16).</summary>
    /// <param name="images">Images of any size.</param>
    /// <param name="classNames">A class for each image; null stands for <see cref="InspectionOptions.DefaultClassName"/>, or for the model's only class.</param>
    /// <param name="atImageSize">False: maps are S × S. True: maps have each image's own size.</param>
    /// <returns>One result an image, in order.</returns>
    /// <exception cref="ArgumentException">The lists differ in length, or a class is not known.</exception>
    public IReadOnlyList<Inspection> Inspect(IReadOnlyList<PixelBuffer> images, IReadOnlyList<string?> classNames, bool atImageSize = false)
    {
        ArgumentNullException.ThrowIfNull(images);
        var results = new Inspection[images.Count];
        foreach (var (state, chunk) in Chunks(images, classNames))
        {
            InspectChunk(images, chunk, state, atImageSize, results);
        }

        return results;
    }

    /// <summary>Scores and S × S maps of images under several ways to put the branches together, from one run of the networks: what each choice is worth.</summary>
    /// <param name="images">Images of any size.</param>
    /// <param name="classNames">As for <see cref="Inspect"/>.</param>
    /// <param name="fusions">The ways.</param>
    /// <returns>For each image, in order, one result a way.</returns>
    /// <exception cref="ArgumentException">The lists differ in length, a class is not known, a value is out of range, or the prompt alone is asked for where none is trained.</exception>
    public IReadOnlyList<IReadOnlyList<FusedInspection>> InspectFusions(IReadOnlyList<PixelBuffer> images, IReadOnlyList<string?> classNames, IReadOnlyList<ScoreFusion> fusions)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(fusions);
        foreach (var fusion in fusions)
        {
            fusion.Validate();
            if (fusion.Branches == ScoringBranches.Prompt && !HasPrompt)
            {
                throw new ArgumentException($"fusions: {nameof(ScoringBranches)}.{ScoringBranches.Prompt} needs a trained graph prompt, and this model has none. Fit with Epochs above 0, or from a model that has one.", nameof(fusions));
            }
        }

        var results = new IReadOnlyList<FusedInspection>[images.Count];
        foreach (var (state, chunk) in Chunks(images, classNames))
        {
            FuseChunk(images, chunk, state, fusions, results);
        }

        return results;
    }

    /// <summary>The same model with another decision threshold, for one class or for all. Weights are shared; each model is disposed apart.</summary>
    /// <exception cref="ArgumentException">The threshold is NaN, or the class is not known.</exception>
    public KagPromptModel WithThreshold(float threshold, string? className = null)
    {
        if (float.IsNaN(threshold))
        {
            throw new ArgumentException("threshold: expected a number, got NaN.", nameof(threshold));
        }

        var moved = className is null ? null : KnownName(className);
        return With(classes.ToDictionary(entry => entry.Key, entry => moved is null || entry.Key == moved
            ? entry.Value with { Reference = entry.Value.Reference.Acquire(), Calibration = entry.Value.Calibration.At(threshold) }
            : entry.Value with { Reference = entry.Value.Reference.Acquire() }));
    }

    /// <summary>A model of the same network and the classes given, whose ownership it takes over.</summary>
    internal KagPromptModel With(IReadOnlyDictionary<string, ClassState> other) => new(network.Acquire(), other);

    /// <summary>A map of <see cref="Inspect"/> at an image's own size: bilinear, NaN where the image was not inspected.</summary>
    public float[] MapToImage(ReadOnlySpan<float> map, int width, int height) => Network.Preprocessor.MapToImage(map, width, height);

    /// <summary>Writes the whole model, manifest and tensors, as one safetensors stream (docs/file-formats.md).</summary>
    public void Save(Stream destination) => ModelArchive.Write(this, destination);

    /// <summary>Reads what <see cref="Save"/> wrote, to the stream's end.</summary>
    /// <param name="source">A readable stream.</param>
    /// <param name="device">"auto", "cpu", "cuda" or "cuda:N".</param>
    /// <param name="backboneFolders">Where a backbone that the model refers to is looked for first, before the model's own folders and those of the environment variable KAGPROMPT_BACKBONES.</param>
    /// <exception cref="ModelFormatException">The stream is damaged or of another version, or the backbone it refers to is not there.</exception>
    public static KagPromptModel Load(Stream source, string device = "auto", IReadOnlyList<string>? backboneFolders = null) => ModelArchive.Read(source, DeviceChoice.Resolve(device), backboneFolders ?? []);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref disposed, 1) != 0)
        {
            return;
        }

        foreach (var state in classes.Values)
        {
            state.Reference.Release();
        }

        network.Release();
    }

    /// <summary>Images of one class that go through the networks together, by position.</summary>
    private IEnumerable<(ClassState State, int[] Chunk)> Chunks(IReadOnlyList<PixelBuffer> images, IReadOnlyList<string?> classNames)
    {
        ArgumentNullException.ThrowIfNull(classNames);
        if (images.Count != classNames.Count)
        {
            throw new ArgumentException($"classNames: expected one for each of {images.Count} images, got {classNames.Count}.", nameof(classNames));
        }

        return Enumerable.Range(0, images.Count).GroupBy(i => KnownName(classNames[i])).ToArray().SelectMany(group => group.Chunk(ForwardBatch).Select(chunk => (classes[group.Key], chunk)));
    }

    private void FuseChunk(IReadOnlyList<PixelBuffer> images, int[] chunk, ClassState state, IReadOnlyList<ScoreFusion> fusions, IReadOnlyList<FusedInspection>[] results)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref disposed) != 0, this);
        using var scope = torch.NewDisposeScope();
        using var features = Network.EncodeForScoring([.. chunk.Select(i => Network.Preprocessor.Resize(images[i]))]);
        var pixels = MapSize * MapSize;
        var fused = Network.Score(features, state.Reference.Value, fusions).Select(result => (Maps: result.Maps.data<float>().ToArray(), Scores: result.Scores.data<float>().ToArray())).ToArray();
        for (var k = 0; k < chunk.Length; k++)
        {
            results[chunk[k]] = [.. fused.Select(result => new FusedInspection(result.Scores[k], result.Maps[(k * pixels)..((k + 1) * pixels)]))];
        }
    }

    private void InspectChunk(IReadOnlyList<PixelBuffer> images, int[] chunk, ClassState state, bool atImageSize, Inspection[] results)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref disposed) != 0, this);
        var preprocessor = Network.Preprocessor;
        using var features = Network.EncodeForScoring([.. chunk.Select(i => preprocessor.Resize(images[i]))]);
        var (maps, scores, unlikeness) = Network.Measure(features, state.Reference.Value);
        using (maps)
        using (scores)
        using (unlikeness)
        {
            var side = Network.ImageSize;
            var values = maps.data<float>().ToArray();
            var points = scores.data<float>().ToArray();
            var lacks = unlikeness?.data<float>().ToArray();
            for (var k = 0; k < chunk.Length; k++)
            {
                var image = images[chunk[k]];
                var map = values[(k * side * side)..((k + 1) * side * side)];
                var (height, width) = atImageSize ? (image.Height, image.Width) : (side, side);
                var lack = lacks?[k] ?? float.NaN;
                var isForeign = state.Calibration.IsForeign(lack);
                var isAnomalous = points[k] > state.Calibration.Threshold || isForeign;
                results[chunk[k]] = new(points[k], isAnomalous, state.Calibration.Threshold, state.Calibration.ProbabilityOf(points[k]),
                    atImageSize ? preprocessor.MapToImage(map, width, height) : map, height, width)
                {
                    Unlikeness = lack,
                    IsForeign = isForeign,
                };
            }
        }
    }

    private ClassState State(string className) => classes[KnownName(className)];

    private string KnownName(string? className)
    {
        var name = className ?? (classes.Count == 1 ? classes.Keys.First() : InspectionOptions.DefaultClassName);
        return classes.ContainsKey(name) ? name : throw new ArgumentException(
            $"Class '{name}' is not known to this model: expected one of {string.Join(", ", classes.Keys.Order().Take(20).Select(known => $"'{known}'"))}. "
            + "Adapt the model to the class with its support images first.");
    }
}
