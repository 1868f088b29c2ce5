using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Methods;
using Microsoft.ML.KagPrompt.Methods.Kag;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt;

/// <summary>
/// A fitted few-shot inspector: frozen vision tower, graph prompt, and per class the text features, memory bank and threshold.
/// </summary>
/// <remarks>
/// Immutable and thread-safe. Owns native memory, shared with models made from it; each is disposed apart. What it hands out (results,
/// maps, calibrations) is the caller's: changing it changes nothing here.
/// </remarks>
public sealed partial class KagPromptModel : IDisposable
{
    private readonly Shared<InspectionNetwork> network;
    private readonly IReadOnlyDictionary<string, ClassState> classes;
    private int disposed;

    /// <summary>Takes over one ownership of the network and of each class.</summary>
    internal KagPromptModel(Shared<InspectionNetwork> network, InspectionOptions options, IReadOnlyDictionary<string, ClassState> classes)
        => (this.network, Options, this.classes) = (network, options, classes);

    /// <summary>The options it was fitted with.</summary>
    public InspectionOptions Options { get; }

    /// <summary>Side S in pixels of the maps inspections return.</summary>
    public int MapSize => Network.ImageSize;

    /// <summary>Whether a graph prompt takes part in the scores; without one the memory bank alone scores.</summary>
    public bool HasPrompt => Network.Method is KagMethod { UsesText: true };

    /// <summary>Where it computes: "cpu" or "cuda:N".</summary>
    public string Device => Network.Device.ToString();

    /// <summary>The classes it knows.</summary>
    public IReadOnlyCollection<string> ClassNames => [.. classes.Keys];

    /// <summary>
    /// Images of one class that go through the networks together: up to 8 on the processor and 32 on a graphics card, fewer of large
    /// images. Longer lists are taken in parts.
    /// </summary>
    public int ImagesAtOnce => Network.ImagesAtOnce;

    internal InspectionNetwork Network => network.Value;

    internal IReadOnlyDictionary<string, ClassState> Classes => classes;

    /// <summary>How a class's threshold came about.</summary>
    /// <exception cref="ArgumentException">The class is not known.</exception>
    public ThresholdCalibration CalibrationOf(string className) => State(className).Calibration;

    /// <summary>Inspects images; higher scores are more anomalous (equations 12 to 16).</summary>
    /// <param name="images">Images of any size.</param>
    /// <param name="classNames">A class for each image; null stands for <see cref="InspectionOptions.DefaultClassName"/>,
    /// or for the model's only class.</param>
    /// <param name="atImageSize">False: maps are S × S. True: maps have each image's own size.</param>
    /// <returns>One result an image, in order.</returns>
    /// <exception cref="ArgumentException">The lists differ in length, or a class is not known.</exception>
    /// <exception cref="ImageReadException">An image has another shape than its class's region.</exception>
    /// <exception cref="NotFiniteException">A score or map is NaN or infinite: there is no verdict.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed, or was before the last image's turn.</exception>
    public IReadOnlyList<Inspection> Inspect(IReadOnlyList<PixelBuffer> images, IReadOnlyList<string?> classNames, bool atImageSize = false)
    {
        ArgumentNullException.ThrowIfNull(images);
        var results = new Inspection[images.Count];
        foreach (var (name, state, chunk) in Chunks(images, classNames))
        {
            InspectChunk(images, chunk, name, state, atImageSize, results);
        }

        return results;
    }

    /// <summary>
    /// Scores and S × S maps of images under several ways to put the branches together, from one run of the networks:
    /// what each choice is worth.
    /// </summary>
    /// <param name="images">Images of any size.</param>
    /// <param name="classNames">A class for each image, as for one inspection.</param>
    /// <param name="fusions">The ways.</param>
    /// <returns>For each image, in order, one result a way.</returns>
    /// <exception cref="NotSupportedException">The model is of another method.</exception>
    /// <exception cref="ArgumentException">The lists differ in length, a class is not known, a value is out of range,
    /// or the prompt alone is asked for where none is trained.</exception>
    public IReadOnlyList<IReadOnlyList<FusedInspection>> InspectFusions(IReadOnlyList<PixelBuffer> images,
        IReadOnlyList<string?> classNames, IReadOnlyList<ScoreFusion> fusions)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(fusions);
        if (Network.Method is not KagMethod)
        {
            throw new NotSupportedException($"{nameof(InspectFusions)}: expected a model of KAG-prompt, whose branches are fused, "
                + $"got one of another method. Use {nameof(Inspect)}.");
        }

        foreach (var fusion in fusions)
        {
            fusion.Validate();
            if (fusion.Branches == ScoringBranches.Prompt && !HasPrompt)
            {
                throw new ArgumentException($"fusions: {nameof(ScoringBranches)}.{ScoringBranches.Prompt} needs a trained graph prompt, "
                    + "and this model has none. Fit with Training.Epochs above 0, or from a model that has one.", nameof(fusions));
            }
        }

        var results = new IReadOnlyList<FusedInspection>[images.Count];
        foreach (var (name, state, chunk) in Chunks(images, classNames))
        {
            FuseChunk(images, chunk, name, state, fusions, results);
        }

        return results;
    }

    /// <summary>
    /// The same model with another decision threshold, for one class or for all. Weights are shared;
    /// this model stays as it was, and each is disposed apart, by the caller.
    /// </summary>
    /// <exception cref="ArgumentException">The threshold is NaN, or the class is not known.</exception>
    public KagPromptModel WithThreshold(float threshold, string? className = null)
    {
        if (float.IsNaN(threshold))
        {
            throw new ArgumentException("threshold: expected a number, got NaN.", nameof(threshold));
        }

        var moved = className is null ? null : KnownName(className);
        using var held = Hold();
        return With(classes.ToDictionary(entry => entry.Key, entry => moved is null || entry.Key == moved
            ? entry.Value with { Reference = entry.Value.Reference.Acquire(), Calibration = entry.Value.Calibration.At(threshold) }
            : entry.Value with { Reference = entry.Value.Reference.Acquire() }));
    }

    /// <summary>A model of the same network and the classes given, whose ownership it takes over.</summary>
    internal KagPromptModel With(IReadOnlyDictionary<string, ClassState> other, InspectionOptions? options = null)
        => new(network.Acquire(), options ?? Options, other);

    /// <summary>An image of a class, whose shape is that of the class's region where it has one, at S × S.</summary>
    /// <exception cref="ImageReadException">It has another shape.</exception>
    internal PixelBuffer Square(PixelBuffer image, string className, string origin)
    {
        // What comes at S × S may have been brought there, from any shape.
        if (Options.Regions.TryGetValue(className, out var region) && (image.Width, image.Height) != (MapSize, MapSize))
        {
            region.RequireFit(image.Width, image.Height, origin);
        }

        return Network.Preprocessor.Resize(image);
    }

    /// <summary>
    /// An inspection's map at an image's own size: bilinear, NaN where the image was not inspected, cut off or outside its class's region.
    /// </summary>
    public float[] MapToImage(ReadOnlySpan<float> map, int width, int height) => Network.Preprocessor.MapToImage(map, width, height);

    /// <summary>
    /// An image as the model sees it, S × S, which <see cref="Inspect(PixelBuffer, string, bool)"/> then takes as it is: of large
    /// photographs that wait for their turn nothing more need be held. The map's place in the photograph is told by
    /// <see cref="MapToImage"/>.
    /// </summary>
    /// <param name="image">An image of any size.</param>
    /// <param name="className">Its class; null: as for an inspection.</param>
    /// <exception cref="ArgumentException">The class is not known.</exception>
    /// <exception cref="ImageReadException">The image has another shape than its class's region.</exception>
    public PixelBuffer ToModelSize(PixelBuffer image, string? className = null)
    {
        ArgumentNullException.ThrowIfNull(image);
        return Square(image, KnownName(className), $"the image of {image.Width} x {image.Height} pixels");
    }

    /// <summary>Writes the whole model, manifest and tensors, as one safetensors stream (docs/reference/formats.md).</summary>
    public void Save(Stream destination)
    {
        using var held = Hold();
        ModelArchive.Write(this, destination);
    }

    /// <summary>Reads what <see cref="Save(Stream)"/> wrote, to the stream's end.</summary>
    /// <param name="source">A readable stream.</param>
    /// <param name="device">"auto", "cpu", "cuda" or "cuda:N".</param>
    /// <param name="backboneFolders">Where a backbone that the model refers to is looked for first, before the folders of the environment
    /// variable KAGPROMPT_BACKBONES. Places that the model itself names are not looked at: it may be a stranger's.</param>
    /// <exception cref="ModelFormatException">The stream is damaged or of another version,
    /// or the backbone it refers to is not there.</exception>
    public static KagPromptModel Load(Stream source, string device = "auto", IReadOnlyList<string>? backboneFolders = null)
    {
        TorchRuntime.Require();
        return ModelArchive.Read(source, DeviceChoice.Resolve(device), backboneFolders ?? []);
    }

    /// <summary>
    /// Lets go of the native memory. An inspection under way ends its images of the moment and then with
    /// <see cref="ObjectDisposedException"/>; the memory goes with the last of them.
    /// </summary>
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

    private ClassState State(string className) => classes[KnownName(className)];

    internal string KnownName(string? className)
    {
        var name = className ?? (classes.Count == 1 ? classes.Keys.First() : InspectionOptions.DefaultClassName);
        return classes.ContainsKey(name) ? name : throw new ArgumentException(
            $"Class '{name}' is not known to this model: "
            + $"expected one of {string.Join(", ", classes.Keys.Order().Take(20).Select(known => $"'{known}'"))}. "
            + "Adapt the model to the class with its support images first.");
    }
}
