using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Backbones.Tiled;

/// <summary>
/// A tower that sees a large square through tiles of the size it knows, for defects that are too small at that size. Each patch is taken
/// from the tile in which it lies most central; the image's embedding is the tiles' mean. Does not own the tower inside.
/// </summary>
internal sealed partial class TiledTower(IVisionTower inner, TileLayout layout) : IVisionTower
{
    /// <inheritdoc/>
    public VisionTowerInfo Info { get; } = inner.Info with { ImageSize = layout.Whole };

    /// <inheritdoc/>
    public string Family => inner.Family;

    /// <inheritdoc/>
    public string ConfigurationJson => inner.ConfigurationJson;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, torch.Tensor> Weights => inner.Weights;

    /// <inheritdoc/>
    public VisionFeatures Encode(torch.Tensor images, bool forPrompt = true)
    {
        using var scope = torch.NewDisposeScope();
        using var seen = inner.Encode(Cut(images), forPrompt);
        var patches = seen.PatchTokens.Select((tokens, tap) => Join(tokens, StepOf(tap)).MoveToOuterDisposeScope()).ToArray();
        var prompt = ReferenceEquals(seen.PromptTokens, seen.PatchTokens) ? null
            : seen.PromptTokens.Select(tokens => Join(tokens, Info.PromptTaps.Step).MoveToOuterDisposeScope()).ToArray();
        var embedding = seen.ImageEmbedding.reshape(layout.Count, -1, seen.ImageEmbedding.shape[^1]).mean([0]).UnitLength(-1);
        return new(patches, embedding.MoveToOuterDisposeScope(), prompt);
    }

    /// <inheritdoc/>
    public void MoveTo(torch.Device device) => inner.MoveTo(device);

    /// <summary>The tower inside stays: it is another's.</summary>
    public void Dispose()
    {
    }

    /// <summary>[B, 3, S, S] → [n² · B, 3, T, T], all images' first tile first.</summary>
    private torch.Tensor Cut(torch.Tensor images) => torch.cat([.. layout.Starts.SelectMany(top => layout.Starts.Select(left
        => images.narrow(2, top, layout.Side).narrow(3, left, layout.Side)))], 0);

    /// <summary>[n² · B, l, D] → [B, L, D].</summary>
    private torch.Tensor Join(torch.Tensor tokens, int step)
    {
        var (side, kept) = ((long)Math.Round(Math.Sqrt(tokens.shape[1])), layout.Kept(step));
        var tiles = tokens.reshape(layout.Count, -1, side, side, tokens.shape[2]);
        var rows = kept.Select((down, row) => torch.cat([.. kept.Select((across, column) => tiles
            .select(0, (row * layout.PerSide) + column).narrow(1, down.First, down.Count).narrow(2, across.First, across.Count))], 2));
        return torch.cat([.. rows], 1).flatten(1, 2);
    }

    private int StepOf(int tap) => tap < Info.TapSteps.Count ? Info.TapSteps[tap] : Info.PatchSize;
}
