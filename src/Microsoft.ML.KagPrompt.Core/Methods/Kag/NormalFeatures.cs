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

    // By identity: two images may show the same. Null until it is first met.
    private readonly Dictionary<ProductImage, (torch.Tensor[] PromptTokens, torch.Tensor ImageEmbedding)?> kept
        = new(ReferenceEqualityComparer.Instance);

    /// <param name="encoder">The frozen backbone.</param>
    /// <param name="normal">The images of a training, each once.</param>
    /// <param name="shown">How many images the training shows in all: where none comes twice, none is kept.</param>
    /// <param name="mostBytes">Bytes that may be kept.</param>
    public NormalFeatures(FeatureEncoder encoder, IReadOnlyList<ProductImage> normal, long shown, long mostBytes = MostBytes)
    {
        this.encoder = encoder;
        var most = shown > normal.Count ? mostBytes / BytesOf(encoder) : 0;
        foreach (var image in normal.Take((int)Math.Min(most, normal.Count)))
        {
            kept.Add(image, null);
        }
    }

    /// <summary>How many images are kept by now.</summary>
    public int Kept => kept.Values.Count(features => features is not null);

    /// <summary>Bytes of an image's features: the layers that a graph prompt sees and the embedding, 32 bit each.</summary>
    public static long BytesOf(FeatureEncoder encoder)
    {
        var info = encoder.Tower.Info;
        var grid = info.PromptGrid(encoder.ImageSize);
        return sizeof(float) * (((long)grid.Rows * grid.Columns * info.PromptTaps.Widths.Sum()) + info.JointWidth);
    }

    /// <summary>
    /// The layers that a graph prompt sees and the embeddings, of a batch's normal images and then of their twins: [2B, L, D_i], [2B, C'].
    /// Without gradients; the caller's.
    /// </summary>
    public (torch.Tensor[] PromptTokens, torch.Tensor ImageEmbedding) Encode(TwinBatch batch)
    {
        using var scope = torch.NewDisposeScope();
        var known = Array.ConvertAll(batch.Normal, Find);
        using var fresh = encoder.Encode([.. batch.Normal.Where((_, i) => known[i] is null).Select(image => image.Square),
            .. batch.Twins.Select(twin => twin.Image)]);
        torch.Tensor Joined(torch.Tensor others, Func<(torch.Tensor[] PromptTokens, torch.Tensor ImageEmbedding), torch.Tensor> part)
        {
            var next = 0;
            List<torch.Tensor> parts = [.. known.Select(found => found is { } one ? part(one) : others.narrow(0, next++, 1))];
            return torch.cat([.. parts, others.narrow(0, next, others.shape[0] - next)], 0).MoveToOuterDisposeScope();
        }

        return ([.. fresh.PromptTokens.Select((layer, i) => Joined(layer, one => one.PromptTokens[i]))],
            Joined(fresh.ImageEmbedding, one => one.ImageEmbedding));
    }

    public void Dispose()
    {
        foreach (var features in kept.Values.OfType<(torch.Tensor[] PromptTokens, torch.Tensor ImageEmbedding)>())
        {
            Array.ForEach(features.PromptTokens, layer => layer.Dispose());
            features.ImageEmbedding.Dispose();
        }

        kept.Clear();
    }

    /// <summary>An image's features, made where they are to be kept and are not yet; null where they are not to be kept.</summary>
    private (torch.Tensor[] PromptTokens, torch.Tensor ImageEmbedding)? Find(ProductImage image)
    {
        if (!kept.TryGetValue(image, out var features) || features is not null)
        {
            return features;
        }

        using var scope = torch.NewDisposeScope();
        // Other layers, such as a memory bank's, go with the scope.
        var encoded = encoder.Encode([image.Square]);
        features = ([.. encoded.PromptTokens.Select(layer => layer.DetachFromDisposeScope())],
            encoded.ImageEmbedding.DetachFromDisposeScope());
        kept[image] = features;
        return features;
    }
}
