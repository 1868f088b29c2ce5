using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Imaging;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Methods.Kag;

/// <summary>
/// What the frozen backbone says of the images of a training's passes. Normal images never change: each is encoded when it is first met,
/// and kept for the epochs that follow; their twins are new each time. Owns what it keeps, on the encoder's device.
/// </summary>
/// <remarks>
/// Not thread-safe. The last bits of features depend on what is encoded beside an image, and a training that goes on from a checkpoint
/// begins with nothing kept. So whether an image is kept is settled from the start, by its place among the images and not by when it comes;
/// what is kept is encoded alone, and what is not beside its pass's twins, which are the same in every run.
/// </remarks>
internal sealed class NormalFeatures : IDisposable
{
    /// <summary>
    /// Bytes of features that are kept at most: of the embedded compact backbone at 224 pixels 4,843 images of 221,696 bytes, of
    /// ImageBind-Huge's sizes 204 of 5,246,976.
    /// </summary>
    public const long MostBytes = 1L << 30;

    private readonly FeatureEncoder encoder;
    private readonly Func<VisionFeatures, IEnumerable<torch.Tensor>> seen;

    // By identity: two images may show the same. Null until it is first met.
    private readonly Dictionary<ProductImage, torch.Tensor[]?> kept = new(ReferenceEqualityComparer.Instance);

    private NormalFeatures(FeatureEncoder encoder, Func<VisionFeatures, IEnumerable<torch.Tensor>> seen, long bytesOfImage,
        IReadOnlyList<ProductImage> normal, long shown, long mostBytes)
    {
        (this.encoder, this.seen) = (encoder, seen);
        var most = shown > normal.Count ? mostBytes / bytesOfImage : 0;
        foreach (var image in normal.Take((int)Math.Min(most, normal.Count)))
        {
            kept.Add(image, null);
        }
    }

    /// <summary>How many images are kept by now.</summary>
    public int Kept => kept.Values.Count(features => features is not null);

    /// <summary>What a graph prompt sees: its layers, and the embedding last.</summary>
    /// <param name="encoder">The frozen backbone.</param>
    /// <param name="normal">The images of a training, each once.</param>
    /// <param name="shown">How many images the training shows in all: where none comes twice, none is kept.</param>
    /// <param name="mostBytes">Bytes that may be kept.</param>
    public static NormalFeatures ForGraph(
        FeatureEncoder encoder, IReadOnlyList<ProductImage> normal, long shown, long mostBytes = MostBytes)
    {
        var info = encoder.Tower.Info;
        var grid = info.PromptGrid(encoder.ImageSize);
        var bytes = sizeof(float) * (((long)grid.Rows * grid.Columns * info.PromptTaps.Widths.Sum()) + info.JointWidth);
        return new(encoder, features => features.PromptTokens.Append(features.ImageEmbedding), bytes, normal, shown, mostBytes);
    }

    /// <summary>What linear heads see: the tapped layers.</summary>
    /// <param name="encoder">The frozen backbone.</param>
    /// <param name="normal">The images of a training, each once.</param>
    /// <param name="shown">How many images the training shows in all: where none comes twice, none is kept.</param>
    /// <param name="mostBytes">Bytes that may be kept.</param>
    public static NormalFeatures ForHeads(
        FeatureEncoder encoder, IReadOnlyList<ProductImage> normal, long shown, long mostBytes = MostBytes)
    {
        var info = encoder.Tower.Info;
        var bytes = sizeof(float) * info.TapGrids(encoder.ImageSize)
            .Zip(info.TapWidths, (grid, width) => (long)grid.Rows * grid.Columns * width).Sum();
        return new(encoder, features => features.PatchTokens, bytes, normal, shown, mostBytes);
    }

    /// <summary>
    /// The features of a batch's normal images and then of their twins, [2B, …] each. Without gradients; the caller's.
    /// </summary>
    public torch.Tensor[] Encode(TwinBatch batch)
    {
        using var scope = torch.NewDisposeScope();
        var known = Array.ConvertAll(batch.Normal, Find);
        using var fresh = encoder.Encode([.. batch.Normal.Where((_, i) => known[i] is null).Select(image => image.Square),
            .. batch.Twins.Select(twin => twin.Image)]);
        torch.Tensor Joined(torch.Tensor others, int part)
        {
            var next = 0;
            List<torch.Tensor> parts = [.. known.Select(found => found is not null ? found[part] : others.narrow(0, next++, 1))];
            return torch.cat([.. parts, others.narrow(0, next, others.shape[0] - next)], 0).MoveToOuterDisposeScope();
        }

        return [.. seen(fresh).Select(Joined)];
    }

    public void Dispose()
    {
        foreach (var tensor in kept.Values.OfType<torch.Tensor[]>().SelectMany(features => features))
        {
            tensor.Dispose();
        }

        kept.Clear();
    }

    /// <summary>An image's features, made where they are to be kept and are not yet; null where they are not to be kept.</summary>
    private torch.Tensor[]? Find(ProductImage image)
    {
        if (!kept.TryGetValue(image, out var features) || features is not null)
        {
            return features;
        }

        using var scope = torch.NewDisposeScope();
        // Other layers, such as a memory bank's, go with the scope.
        features = [.. seen(encoder.Encode([image.Square])).Select(layer => layer.DetachFromDisposeScope())];
        kept[image] = features;
        return features;
    }
}
