using System.Runtime.CompilerServices;
using Microsoft.Extensions.Options;

namespace Microsoft.ML.KagPrompt.Hosting.Serving;

/// <summary>A picture at its model's size, and the size it had.</summary>
internal readonly record struct ReadPicture(PixelBuffer Picture, int Width, int Height);

/// <summary>Reads pictures on the thread pool, few at once: models may be called from any thread, but what is decoded takes memory.</summary>
/// <remarks>Thread-safe.</remarks>
internal sealed class PictureReader(IOptions<KagPromptHostingOptions> options)
{
    private const string Origin = "The image";

    private readonly SemaphoreSlim readers = new(options.Value.MaxConcurrentDecodes);
    private readonly SemaphoreSlim largeOnes = new(1);

    /// <summary>A stream's bytes.</summary>
    /// <exception cref="ImageReadException">It is longer than the options allow.</exception>
    public async Task<byte[]> BytesOfAsync(Stream stream, CancellationToken cancellation)
    {
        var most = options.Value.MaxImageBytes;
        using var bytes = new MemoryStream();
        var piece = new byte[1 << 16];
        while (await stream.ReadAsync(piece, cancellation).ConfigureAwait(false) is > 0 and var count)
        {
            if (bytes.Length + count > most)
            {
                throw TooLong();
            }

            bytes.Write(piece, 0, count);
        }

        return bytes.ToArray();
    }

    /// <summary>The picture of a file at the model's size: while it waits for its turn, nothing larger is held.</summary>
    /// <exception cref="ImageReadException">It cannot be read, or has another shape than the class's region.</exception>
    public async Task<ReadPicture> ReadAsync(byte[] file, IInspectionModel model, CancellationToken cancellation)
    {
        if (file.Length > options.Value.MaxImageBytes)
        {
            throw TooLong();
        }

        // Before it is decoded: a small file may promise a huge image. To see that a file is whole, some kinds are decoded even here.
        var info = await InAsync(readers, () => ImageCodec.Check(file, Origin, model.Images.MaxPixels), cancellation).ConfigureAwait(false);
        var (width, height) = ImageCodec.SizeOf(info, model.Images.Orientation);
        var picture = PixelBudget.IsLarge(width, height)
            ? await InAsync(largeOnes, () => Large(file, model), cancellation).ConfigureAwait(false)
            : await InAsync(readers, () => AtModelSize(file, model), cancellation).ConfigureAwait(false);
        return new(picture, width, height);
    }

    /// <summary>A picture at the model's size.</summary>
    /// <exception cref="ImageReadException">It has another shape than the class's region.</exception>
    public async Task<ReadPicture> ReadAsync(PixelBuffer picture, IInspectionModel model, CancellationToken cancellation)
        => new(await InAsync(readers, () => model.ToModelSize(picture), cancellation).ConfigureAwait(false), picture.Width, picture.Height);

    private ImageReadException TooLong()
        => new($"{Origin}: expected a file of at most {options.Value.MaxImageBytes} bytes, got a longer one. Compress it, or raise "
            + $"{nameof(KagPromptHostingOptions.MaxImageBytes)}.");

    private static async Task<T> InAsync<T>(SemaphoreSlim places, Func<T> work, CancellationToken cancellation)
    {
        await places.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            return await Task.Run(work, cancellation).ConfigureAwait(false);
        }
        finally
        {
            places.Release();
        }
    }

    // Its memory is given back at once: it would stay with the process otherwise.
    private static PixelBuffer Large(byte[] file, IInspectionModel model)
    {
        try
        {
            return AtModelSize(file, model);
        }
        finally
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        }
    }

    // Of its own, so that the large picture is out of reach when it returns.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static PixelBuffer AtModelSize(byte[] file, IInspectionModel model)
    {
        var images = model.Images;
        var leastSide = images.Size is { } side ? images.LeastSide(side) : int.MaxValue;
        return model.ToModelSize(ImageCodec.ReadReduced(file, Origin, leastSide, out _, images.MaxPixels, images.Orientation));
    }
}
