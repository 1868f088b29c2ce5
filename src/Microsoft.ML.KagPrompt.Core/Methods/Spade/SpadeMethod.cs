using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Methods.Spade;

/// <summary>
/// SPADE: the supports nearest to an image, and at each place the distance to the nearest of their features. It has no weights.
/// </summary>
internal sealed partial class SpadeMethod : IInspectionMethod
{
    private const double Sigma = 4;

    private readonly SpadeOptions options;
    private readonly FeatureStages stages;
    private readonly IReadOnlyList<int> layers;
    private readonly IReadOnlyList<PatchGrid> grids;
    private readonly MapMaker maps;
    private readonly int imageSize;

    /// <param name="options">The method's choices.</param>
    /// <param name="sizes">Of the backbone.</param>
    /// <param name="grids">Where each layer's features lie; null: where the stages' cells do.</param>
    /// <exception cref="ArgumentException">The backbone has no such stages.</exception>
    public SpadeMethod(SpadeOptions options, MethodSizes sizes, IReadOnlyList<PatchGrid>? grids = null)
    {
        this.options = options;
        stages = new FeatureStages(sizes);
        layers = stages.Choose(options.Layers, [1, 2, 3], $"{nameof(SpadeOptions)}.{nameof(options.Layers)}");
        this.grids = grids ?? [.. layers.Select(stages.Grid)];
        (imageSize, maps) = (sizes.ImageSize, new MapMaker(sizes.Upsampling, sizes.ImageSize));
    }

    public bool UsesText => false;

    public IReadOnlyDictionary<string, torch.Tensor> Weights { get; } = new Dictionary<string, torch.Tensor>();

    public EncodedImages Encode(FeatureEncoder encoder, IReadOnlyList<PixelBuffer> squares) => stages.Encode(encoder, squares, layers);

    public ClassRegion Place(SquareRegion region) => new(region, grids, maps);

    /// <summary>
    /// The views' descriptors [V, D], how many features each has of each layer [V, layers], and these, one view after the other: [Σ n, C]
    /// each.
    /// </summary>
    public IReadOnlyList<torch.Tensor> Remember(EncodedImages views, IReadOnlyList<SquareRegion>? regions = null, int seed = 0)
    {
        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        var (encoded, count) = ((StageFeatures)views, (int)((StageFeatures)views).Descriptor.shape[0]);
        var cells = Enumerable.Range(0, count).Select(view => grids.Select(grid => Cells(grid, regions?[view])).ToArray()).ToArray();
        var counts = torch.tensor(
            [.. cells.SelectMany(layers => layers.Select(layer => (float)layer.Length))], [count, grids.Count],
            device: encoded.Descriptor.device);
        var kept = encoded.Maps.Select(
            (map, layer) => torch.cat(
            [.. cells.Select((view, i) => Tokens(map)[i].index_select(0, torch.tensor(view[layer], device: map.device)))], 0));
        return [.. new[] { encoded.Descriptor.alias(), counts }.Concat(kept).Select(tensor => tensor.MoveToOuterDisposeScope())];
    }

    public ClassReference BuildReference(
        IReadOnlyList<IReadOnlyList<torch.Tensor>> supports, torch.Tensor? textFeatures, ClassRegion? region = null)
    {
        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        var parts = Enumerable.Range(0, 2 + layers.Count).Select(part => torch.cat([.. supports.Select(support => support[part])], 0))
            .ToArray();
        return new SpadeReference(parts[0], parts[1], parts[2..]) { Region = region };
    }

    public ClassReference ReadReference(ITensorSource source, torch.Device device, ClassRegion? region = null)
    {
        using var scope = torch.NewDisposeScope();
        var descriptors = StoredMatrix.Read(source, "descriptors", -1, stages.DescriptorWidth).to(device);
        var counts = StoredMatrix.Read(source, "counts", descriptors.shape[0], layers.Count);
        var banks = layers.Select((stage, layer) => StoredMatrix.Read(source, $"bank.{layer}", -1, stages.Widths[stage - 1]).to(device))
            .ToArray();
        var sums = counts.sum([0]).data<float>().ToArray();
        if (counts.data<float>().ToArray().Any(count => count < 1 || count != MathF.Floor(count))
            || banks.Where((bank, layer) => bank.shape[0] != (long)sums[layer]).Any())
        {
            throw new ModelFormatException(
                $"The saved model's tensor '{source.NameInFile("counts")}': expected how many rows of its banks each support has, "
                + $"got {string.Join(", ", sums)} in all for {string.Join(", ", banks.Select(bank => bank.shape[0]))} rows. "
                + "Save or fetch the model again.");
        }

        return new SpadeReference(descriptors, counts.to(device), banks) { Region = region };
    }

    public MethodScores Score(EncodedImages features, ClassReference reference)
    {
        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        var (known, encoded, region) = ((SpadeReference)reference, (StageFeatures)features, reference.Region);
        var gallery = known.Gallery(options.LosesRemainder);
        var (distances, images) = gallery.Retrieve(encoded.Descriptor, options.Neighbours);                        // [B, K]
        var retrieved = images.cpu().data<long>().ToArray().Chunk((int)images.shape[1]).ToArray();
        var values = encoded.Maps.Select((map, layer) => Nearest(gallery, layer, Tokens(map), retrieved, region?.Square)).ToArray();
        var maps = GaussianBlur.Apply(this.maps.Mean(values, grids, region?.Square), Sigma, region?.Inspected);     // [B, S, S]
        var deepest = Tokens(encoded.Maps[^1]);
        var (_, unlikeness) = known.Directions.Compare([deepest], region is null ? null : [region.Square.CellsOf(grids[^1])]);
        return new MethodScores(maps.MoveToOuterDisposeScope(), distances.mean([1]).MoveToOuterDisposeScope(),
            unlikeness.MoveToOuterDisposeScope());
    }

    public torch.Tensor MapScores(torch.Tensor maps, ClassRegion? region = null) => ImageScore.TopMean(maps, 1, region?.Pixels);

    public void Dispose() { }

    /// <summary>[B, L, C] → [B, L], 0 where not inspected.</summary>
    private torch.Tensor Nearest(SpadeGallery gallery, int layer, torch.Tensor tokens, long[][] retrieved, SquareRegion? region)
    {
        var cells = region is null ? null : torch.tensor(region.CellsOf(grids[layer]), device: tokens.device);
        return torch.stack([.. retrieved.Select((images, b) =>
        {
            var own = tokens[b];
            var found = gallery.Distances(layer, cells is null ? own : own.index_select(0, cells), images);
            return cells is null ? found : torch.zeros(own.shape[0], device: own.device).index_copy(0, cells, found);
        })]);
    }

    /// <summary>[B, C, h, w] → [B, h·w, C].</summary>
    private static torch.Tensor Tokens(torch.Tensor map) => map.flatten(2).transpose(1, 2);

    /// <summary>The cells that count, column by column, as the published code has them: what it leaves out depends on the order.</summary>
    private static long[] Cells(PatchGrid grid, SquareRegion? region)
        => [.. (region?.CellsOf(grid) ?? [.. Enumerable.Range(0, grid.Rows * grid.Columns).Select(cell => (long)cell)])
            .OrderBy(cell => cell % grid.Columns).ThenBy(cell => cell / grid.Columns)];
}
