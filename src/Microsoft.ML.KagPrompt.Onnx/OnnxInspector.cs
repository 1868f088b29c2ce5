using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.OnnxReading;
using Microsoft.ML.OnnxRuntime;

namespace Microsoft.ML.KagPrompt;

/// <summary>Scores images with a model that was exported as an ONNX file: without TorchSharp, in ONNX Runtime.</summary>
/// <remarks>
/// Thread-safe; several threads may inspect at once. Owns native memory: dispose it. What is being inspected meanwhile is finished.
/// </remarks>
public sealed class OnnxInspector : IDisposable
{
    /// <summary>Images that go through the network together.</summary>
    internal const int Batch = 8;

    private readonly Shared<InferenceSession> session;
    private readonly OnnxInspectorOptions options;
    private int disposed;

    private readonly bool isMoved;

    private OnnxInspector(ExportedFile file, OnnxInspectorOptions options)
        => (Info, this.options, session) = (file.Info, options, new(RuntimeSession.Open(file, options)));

    private OnnxInspector(OnnxInspector other, ThresholdCalibration calibration)
        => (Info, options, session, isMoved)
            = (other.Info with { Calibration = calibration }, other.options, other.session.Acquire(), true);

    /// <summary>What the file says of the model: its class, threshold and sizes.</summary>
    public OnnxModelInfo Info { get; }

    /// <summary>Whether images of any size go to the file.</summary>
    private bool FileResizes => options.Resizing == OnnxResizing.InTheFile && !Info.IsFixedSize;

    /// <summary>Loads an exported file. The caller disposes the inspector.</summary>
    /// <param name="path">What <c>KagPromptModel.ExportOnnx</c> or <c>kagprompt export</c> wrote. Of files beside it, the one of its name
    /// with ".data" after it is read where it names it, and no other.</param>
    /// <param name="options">What computes, with how many threads; null: the processor, with all.</param>
    /// <exception cref="ArgumentException">Names every option that is out of range.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="ModelFormatException">It is no ONNX file, another program's, of a newer format, or damaged.</exception>
    /// <exception cref="NativeRuntimeException">ONNX Runtime, or the provider asked for, is not there; the message names the
    /// package.</exception>
    public static OnnxInspector Load(string path, OnnxInspectorOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        options ??= new();
        options.Validate();
        return new(ExportedFile.Read(path), options);
    }

    /// <summary>Loads an exported file that is in memory.</summary>
    /// <param name="file">The whole file.</param>
    /// <param name="origin">What to call it in messages.</param>
    /// <param name="options">What computes, with how many threads; null: the processor, with all.</param>
    /// <inheritdoc cref="Load(string, OnnxInspectorOptions?)"/>
    public static OnnxInspector Load(byte[] file, string origin = "The exported model", OnnxInspectorOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentException.ThrowIfNullOrEmpty(origin);
        options ??= new();
        options.Validate();
        return new(ExportedFile.Read(file, origin), options);
    }

    /// <summary>Loads a file that was looked through.</summary>
    internal static OnnxInspector From(ExportedFile file, OnnxInspectorOptions options) => new(file, options);

    /// <summary>Reads what a file says of its model, and loads nothing.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="ModelFormatException">It is no ONNX file, another program's, of a newer format, or damaged.</exception>
    public static OnnxModelInfo Describe(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return ExportedFile.Read(path).Info;
    }

    /// <summary>Inspects one image file.</summary>
    /// <param name="imagePath">A PNG, JPEG, BMP, WebP or GIF file of at most <see cref="OnnxInspectorOptions.MaxPixels"/>.</param>
    /// <param name="atImageSize">True: the map has the image's own size, NaN where it was not inspected; false: the model's S × S.</param>
    /// <exception cref="ImageReadException">It cannot be read, or has another shape than the class's region.</exception>
    /// <exception cref="NotFiniteException">The score is not a number.</exception>
    /// <exception cref="ObjectDisposedException">The inspector is disposed.</exception>
    public Inspection Inspect(string imagePath, bool atImageSize = false)
        => Inspect([ImageCodec.Read(imagePath, options.MaxPixels, Info.Orientation)], atImageSize, _ => $"'{imagePath}'")[0];

    /// <summary>Inspects one image in memory.</summary>
    /// <param name="image">An image of any size, turned as the class's images are.</param>
    /// <param name="atImageSize">True: the map has the image's own size, NaN where it was not inspected; false: the model's S × S.</param>
    /// <exception cref="ImageReadException">It has another shape than the class's region.</exception>
    /// <exception cref="NotFiniteException">The score is not a number.</exception>
    /// <exception cref="ObjectDisposedException">The inspector is disposed.</exception>
    public Inspection Inspect(PixelBuffer image, bool atImageSize = false)
    {
        ArgumentNullException.ThrowIfNull(image);
        return Inspect([image], atImageSize)[0];
    }

    /// <summary>Inspects images, a few at a time; the verdicts are in their order.</summary>
    /// <param name="images">Images of any sizes.</param>
    /// <param name="atImageSize">True: maps have the images' own sizes, NaN where they were not inspected;
    /// false: the model's S × S.</param>
    /// <exception cref="ImageReadException">One has another shape than the class's region.</exception>
    /// <exception cref="NotFiniteException">A score is not a number.</exception>
    /// <exception cref="ObjectDisposedException">The inspector is disposed.</exception>
    public IReadOnlyList<Inspection> Inspect(IReadOnlyList<PixelBuffer> images, bool atImageSize = false)
    {
        ArgumentNullException.ThrowIfNull(images);
        return Inspect(images, atImageSize, NameOf(images));
    }

    /// <summary>
    /// Inspects images that were brought to S × S already, by the way of <see cref="OnnxModelInfo.ResizeMode"/>: what shape they had
    /// before is for the caller to hold against the class's region (<see cref="OnnxModelInfo.RequireFit"/>).
    /// </summary>
    /// <param name="squares">Images of S × S.</param>
    /// <exception cref="ArgumentException">One is not S × S.</exception>
    /// <exception cref="NotFiniteException">A score is not a number.</exception>
    /// <exception cref="ObjectDisposedException">The inspector is disposed.</exception>
    public IReadOnlyList<Inspection> InspectSquares(IReadOnlyList<PixelBuffer> squares)
    {
        ArgumentNullException.ThrowIfNull(squares);
        var side = Info.ImageSize;
        return squares.FirstOrDefault(square => square.Width != side || square.Height != side) is { } other
            ? throw new ArgumentException($"squares: expected {side} x {side} pixels, got {other.Width} x {other.Height}.", nameof(squares))
            : Inspect(squares, atImageSize: false, NameOf(squares), areSquare: true);
    }

    /// <summary>An image as the network takes it: at S × S, or as it is where the file itself resizes.</summary>
    /// <exception cref="ImageReadException">It has another shape than the class's region.</exception>
    internal PixelBuffer ToModelSize(PixelBuffer image)
    {
        Info.RequireFit(image.Width, image.Height, $"the image of {image.Width} x {image.Height} pixels");
        return FileResizes ? image : ImageTensor.Square(image, Info);
    }

    /// <summary>Inspects what <see cref="ToModelSize"/> made.</summary>
    internal IReadOnlyList<Inspection> InspectPrepared(IReadOnlyList<PixelBuffer> images)
        => FileResizes ? Inspect(images) : InspectSquares(images);

    /// <summary>
    /// The same with another decision threshold. This one stays as it was; memory is shared, and each of the two may be disposed first.
    /// </summary>
    /// <returns>The other inspector; the caller disposes it.</returns>
    /// <exception cref="ArgumentException">The threshold is not a number.</exception>
    /// <exception cref="ObjectDisposedException">The inspector is disposed.</exception>
    public OnnxInspector WithThreshold(float threshold)
    {
        ObjectDisposedException.ThrowIf(disposed != 0, this);
        return float.IsNaN(threshold)
            ? throw new ArgumentException("threshold: expected a number, got NaN.", nameof(threshold))
            : new(this, Info.Calibration.At(threshold));
    }

    /// <summary>A map of S × S at the size of the image it is of: bilinear, NaN where the image was not inspected.</summary>
    public float[] MapToImage(ReadOnlySpan<float> map, int width, int height)
        => ResizeGeometry.Create(width, height, Info.ImageSize, Info.ResizeMode).MapToImage(map, width, height);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref disposed, 1) == 0)
        {
            session.Release();
        }
    }

    private Inspection[] Inspect(IReadOnlyList<PixelBuffer> images, bool atImageSize, Func<int, string> nameOf, bool areSquare = false)
    {
        ObjectDisposedException.ThrowIf(disposed != 0, this);
        using var held = session.Borrow();
        for (var i = 0; i < images.Count && !areSquare; i++)
        {
            Info.RequireFit(images[i].Width, images[i].Height, nameOf(i));
        }

        var results = new Inspection[images.Count];
        // The file's own resizing takes images of one size at a time.
        var groups = FileResizes
            ? Enumerable.Range(0, images.Count).GroupBy(i => (images[i].Width, images[i].Height)).Select(group => group.ToArray())
            : [Enumerable.Range(0, images.Count).ToArray()];
        foreach (var chunk in groups.SelectMany(group => group.Chunk(Batch)))
        {
            using var input = ImageTensor.From([.. chunk.Select(i => images[i])], Info, options.Resizing);
            Score(session.Value, input.Value, chunk, results, nameOf);
        }

        for (var i = 0; atImageSize && i < results.Length; i++)
        {
            var (width, height) = (images[i].Width, images[i].Height);
            results[i] = results[i] with { Map = MapToImage(results[i].Map, width, height), Width = width, Height = height };
        }

        return results;
    }

    private void Score(InferenceSession runtime, OrtValue input, int[] chunk, Inspection[] results, Func<int, string> nameOf)
    {
        using var settings = new RunOptions();
        try
        {
            using var values = runtime.Run(settings, ["image"], [input], ExportedOutputs.Names);
            var outputs = new ExportedOutputs(values, chunk.Length, Info.ImageSize);
            for (var k = 0; k < chunk.Length; k++)
            {
                results[chunk[k]] = Decided(Finite(outputs.Inspection(k, Info), nameOf(chunk[k])));
            }
        }
        catch (OnnxRuntimeException fault)
        {
            throw new KagPromptException($"ONNX Runtime failed on {nameOf(chunk[0])}: {RuntimeSession.FirstLine(fault)} "
                + "Export the model again; with a GPU, try Provider Cpu.", fault);
        }
    }

    private Func<int, string> NameOf(IReadOnlyList<PixelBuffer> images)
        => i => $"image {i + 1} of {images.Count} (class '{Info.ClassName}')";

    /// <summary>The file decides, unless its threshold was moved.</summary>
    private Inspection Decided(Inspection verdict) => !isMoved ? verdict : verdict with
    {
        IsAnomalous = Info.Calibration.IsAnomalous(verdict.Score, verdict.Unlikeness),
        Probability = Info.Calibration.ProbabilityOf(verdict.Score),
    };

    private static Inspection Finite(Inspection verdict, string name)
        // NaN is what was not inspected; a map of nothing else is no map.
        => float.IsFinite(verdict.Score) && !verdict.Map.AsSpan().ContainsAny(float.PositiveInfinity, float.NegativeInfinity)
            && verdict.Map.AsSpan().ContainsAnyExcept(float.NaN) ? verdict
            : throw new NotFiniteException($"There is no verdict on {name}: its score or map is not a finite number. "
                + "The file or the arithmetic of the device are at fault: copy the file again, try Provider Cpu, or export the model again "
                + "with Precision Float32.");
}
