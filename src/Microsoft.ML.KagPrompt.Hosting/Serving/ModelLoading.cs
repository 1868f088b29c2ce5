using System.Globalization;
using System.Security.Cryptography;

namespace Microsoft.ML.KagPrompt.Hosting.Serving;

/// <summary>From a file to a model that is ready for its first request.</summary>
internal static class ModelLoading
{
    private const int DigitsOfHash = 12;

    /// <summary>Loads and warms up, on the thread pool. The caller owns the model.</summary>
    public static Task<(IInspectionModel Model, string Version)> LoadAsync(ModelSource source,
        IReadOnlyList<IInspectionModelLoader> loaders, CancellationToken cancellation)
        => Task.Run(async () =>
        {
            var model = LoaderOf(source.Path, loaders).Load(source.Path, source.ClassName);
            try
            {
                await WarmUpAsync(model, cancellation).ConfigureAwait(false);
                return (model, source.Version ?? HashOf(source.Path));
            }
            catch
            {
                try
                {
                    model.Dispose();
                }
                catch (Exception)
                {
                    // Why it is of no use is what is told; that it cannot be disposed comes of it.
                }

                throw;
            }
        }, cancellation);

    /// <summary>The first image takes longer: kernels are chosen, memory is fetched. What cannot score one is no model.</summary>
    private static async Task WarmUpAsync(IInspectionModel model, CancellationToken cancellation)
    {
        if (model.Images.Size is not { } side || model.ConcurrentBatches < 1)
        {
            var got = model.Images.Size?.ToString(CultureInfo.InvariantCulture) ?? "null";
            throw new InvalidOperationException($"{nameof(IInspectionModel)}: expected the model's side in pixels and 1 batch at once or "
                + $"more, got {got} and {model.ConcurrentBatches}. Mend its loader.");
        }

        var noise = new byte[3 * side * side];
        new Random(1).NextBytes(noise);
        await model.InspectAsync([new(side, side, noise)], cancellation).ConfigureAwait(false);
    }

    private static IInspectionModelLoader LoaderOf(string path, IReadOnlyList<IInspectionModelLoader> loaders)
    {
        var bytes = new byte[IInspectionModelLoader.HeadLength];
        using var file = File.OpenRead(path);
        var length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        return loaders.FirstOrDefault(loader => loader.Reads(bytes.AsSpan(0, length))) ?? throw new ModelFormatException(
            $"'{path}' is read by none of {loaders.Count} loaders: expected a model zip with KagPromptModelLoader, or an exported ONNX "
            + "file with OnnxModelLoader. Add its loader, or copy the file again.");
    }

    private static string HashOf(string path)
    {
        using var file = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(file))[..DigitsOfHash];
    }
}
