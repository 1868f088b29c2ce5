using Microsoft.ML.Runtime;

namespace Microsoft.ML.KagPrompt;

/// <summary>
/// Loads fitted models for a service (package Microsoft.ML.KagPrompt.Hosting): zips that <c>mlContext.Model.Save</c> wrote, of which only
/// the scoring is used, and files of <see cref="KagPromptModel.Save(string)"/>.
/// </summary>
/// <remarks>Thread-safe. All its models on one device take turns.</remarks>
public sealed class KagPromptModelLoader : IInspectionModelLoader
{
    // A context is not promised to be thread-safe.
    private readonly Lock gate = new();
    private readonly MLContext context;

    /// <summary>Creates the loader.</summary>
    /// <param name="context">Says by <see cref="MLContext.GpuDeviceId"/> and <see cref="MLContext.FallbackToCpu"/> where models compute;
    /// null: on a GPU where there is one.</param>
    public KagPromptModelLoader(MLContext? context = null) => this.context = context ?? new();

    /// <inheritdoc/>
    /// <remarks>Zips, and safetensors, whose header is JSON after eight bytes of its length.</remarks>
    public bool Reads(ReadOnlySpan<byte> head) => head.StartsWith("PK"u8) || (head.Length > 8 && head[8] == (byte)'{');

    /// <inheritdoc/>
    public IReadOnlyList<string> ClassNames(string path)
    {
        using var loaded = Open(path).Model;
        return [.. loaded.ClassNames.Order(StringComparer.Ordinal)];
    }

    /// <inheritdoc/>
    public IInspectionModel Load(string path, string? className = null)
    {
        var (model, images) = Open(path);
        try
        {
            return new Served(model, images, className is null && model.ClassNames.Count > 1
                ? throw new ArgumentException($"className: expected one of the classes of '{path}', "
                    + $"{string.Join(", ", model.ClassNames.Order(StringComparer.Ordinal).Take(20).Select(name => $"'{name}'"))}, got none.",
                    nameof(className))
                : model.KnownName(className));
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    private (KagPromptModel Model, ImageOptions Images) Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        Span<byte> head = stackalloc byte[2];
        using (var file = File.OpenRead(path))
        {
            file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        }

        if (!head.SequenceEqual("PK"u8))
        {
            var alone = KagPromptModel.Load(path, DeviceSelection.Resolve((IHostEnvironment)context, "auto"));
            return (alone, alone.Options.Images);
        }

        // The zip may load images from paths; here they come as bytes, so only its last part is used.
        var loaded = LoadZip(path);
        try
        {
            var transformer = KagPromptTransformer.FindIn(loaded);
            return (transformer.Model, transformer.Options.Images);
        }
        catch
        {
            (loaded as IDisposable)?.Dispose();
            throw;
        }
    }

    /// <summary>ML.NET wraps what the library says; and what its own reader stumbles over in a damaged zip may be of any kind.</summary>
    private ITransformer LoadZip(string path)
    {
        try
        {
            lock (gate)
            {
                return context.Model.Load(path, out _);
            }
        }
        catch (Exception fault) when (fault is not (KagPromptException or UnauthorizedAccessException
            or (IOException and not EndOfStreamException)))
        {
            var cause = fault;
            while (cause is not KagPromptException && cause.InnerException is { } inner)
            {
                cause = inner;
            }

            throw new ModelFormatException($"'{path}' could not be loaded: {cause.Message}", fault);
        }
    }

    /// <summary>Owns the model.</summary>
    private sealed class Served(KagPromptModel model, ImageOptions images, string className) : IInspectionModel
    {
        public string ClassName => className;

        public ImageOptions Images { get; } = images with { Size = model.MapSize };

        // A batch takes all of the device, and all models take turns on it.
        public int ConcurrentBatches => 1;

        public PixelBuffer ToModelSize(PixelBuffer image) => model.ToModelSize(image, className);

        public Task<IReadOnlyList<Inspection>> InspectAsync(IReadOnlyList<PixelBuffer> squares, CancellationToken cancellationToken)
            => model.InspectAsync(squares, [.. Enumerable.Repeat(className, squares.Count)], cancellationToken: cancellationToken);

        public float[] MapToImage(ReadOnlySpan<float> map, int width, int height) => model.MapToImage(map, width, height);

        public void Dispose() => model.Dispose();
    }
}
