namespace Microsoft.ML.KagPrompt;

/// <summary>Loads exported ONNX files for a service (package Microsoft.ML.KagPrompt.Hosting); no libtorch is needed.</summary>
/// <remarks>Immutable; thread-safe.</remarks>
public sealed class OnnxModelLoader : IInspectionModelLoader
{
    private readonly OnnxInspectorOptions options;
    private readonly int concurrentBatches;

    /// <summary>Creates the loader.</summary>
    /// <param name="options">What computes, with how many threads; null: the processor, with all.</param>
    /// <param name="concurrentBatches">
    /// Batches that run at once through one loaded model, 1 to 64; weights are held once. For processors of many cores, with so many
    /// <see cref="OnnxInspectorOptions.Threads"/> each that all together make up the cores; measure whether it is faster.
    /// </param>
    /// <exception cref="ArgumentException">Names every option that is out of range.</exception>
    public OnnxModelLoader(OnnxInspectorOptions? options = null, int concurrentBatches = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(concurrentBatches, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(concurrentBatches, 64);
        this.options = options ?? new();
        this.options.Validate();
        if (this.options.Resizing == OnnxResizing.InTheFile)
        {
            throw new ArgumentException($"options.{nameof(OnnxInspectorOptions.Resizing)}: expected {OnnxResizing.AsTheModel}, got "
                + $"{OnnxResizing.InTheFile}: pictures that wait would keep their whole size.", nameof(options));
        }

        this.concurrentBatches = concurrentBatches;
    }

    /// <inheritdoc/>
    /// <remarks>Such files begin with the version of ONNX's format. A safetensors file may, too; its header follows.</remarks>
    public bool Reads(ReadOnlySpan<byte> head) => head.Length > 8 && head[0] == 0x08 && head[8] != (byte)'{';

    /// <inheritdoc/>
    public IReadOnlyList<string> ClassNames(string path) => [OnnxInspector.Describe(path).ClassName];

    /// <inheritdoc/>
    public IInspectionModel Load(string path, string? className = null)
    {
        var inspector = OnnxInspector.Load(path, options);
        if (className is not null && className != inspector.Info.ClassName)
        {
            inspector.Dispose();
            throw new ArgumentException($"Class '{className}' is not known to '{path}': expected '{inspector.Info.ClassName}', as such a "
                + "file holds one. Export that class.", nameof(className));
        }

        return new Model(inspector, options, concurrentBatches);
    }

    /// <summary>Owns the inspector.</summary>
    private sealed class Model(OnnxInspector inspector, OnnxInspectorOptions options, int concurrentBatches) : IInspectionModel
    {
        public string ClassName => inspector.Info.ClassName;

        public ImageOptions Images { get; } = new()
        {
            Size = inspector.Info.ImageSize,
            ResizeMode = inspector.Info.ResizeMode,
            Orientation = inspector.Info.Orientation,
            MaxPixels = options.MaxPixels,
        };

        public int ConcurrentBatches => concurrentBatches;

        public PixelBuffer ToModelSize(PixelBuffer image) => inspector.ToModelSize(image);

        public Task<IReadOnlyList<Inspection>> InspectAsync(IReadOnlyList<PixelBuffer> images, CancellationToken cancellationToken)
            => Task.Run(() => inspector.InspectPrepared(images), cancellationToken);

        public float[] MapToImage(ReadOnlySpan<float> map, int width, int height) => inspector.MapToImage(map, width, height);

        public void Dispose() => inspector.Dispose();
    }
}
