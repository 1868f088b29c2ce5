using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Methods.PatchCore;

/// <summary>PatchCore: a bank of patch embeddings, thinned by a coreset if asked, and the distance to it. It has no weights.</summary>
internal sealed partial class PatchCoreMethod : IInspectionMethod
{
    private const double Sigma = 4;
    private const int Starts = 10;

    private readonly PatchCoreOptions options;
    private readonly FeatureStages stages;
    private readonly IReadOnlyList<int> layers;
    private readonly PatchEmbedding embedding;
    private readonly PatchScores scores;
    private readonly MapMaker maps;
    private readonly int imageSize;
    private readonly PatchGrid grid;

    /// <param name="options">The method's choices.</param>
    /// <param name="sizes">Of the backbone.</param>
    /// <param name="grid">Where the patches lie; null: where the first stage's cells do.</param>
    /// <exception cref="ArgumentException">The backbone has no such stages.</exception>
    public PatchCoreMethod(PatchCoreOptions options, MethodSizes sizes, PatchGrid? grid = null)
    {
        this.options = options;
        stages = new FeatureStages(sizes);
        layers = stages.Choose(options.Layers, [2, 3], $"{nameof(PatchCoreOptions)}.{nameof(options.Layers)}");
        this.grid = grid ?? stages.Grid(layers[0]);
        embedding = new PatchEmbedding(options.StageWidth, options.EmbeddingWidth);
        scores = new PatchScores(options);
        (imageSize, maps) = (sizes.ImageSize, new MapMaker(sizes.Upsampling, sizes.ImageSize));
    }

    public bool UsesText => false;

    public IReadOnlyDictionary<string, torch.Tensor> Weights { get; } = new Dictionary<string, torch.Tensor>();

    public EncodedImages Encode(FeatureEncoder encoder, IReadOnlyList<PixelBuffer> squares) => stages.Encode(encoder, squares, layers);

    public ClassRegion Place(SquareRegion region) => new(region, [grid], maps);

    /// <summary>The embeddings that count of each view, one after the other, [1, n, T].</summary>
    public IReadOnlyList<torch.Tensor> Remember(EncodedImages views, IReadOnlyList<SquareRegion>? regions = null, int seed = 0)
    {
        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        return [KeptPatches.Keep(embedding.Embed(((StageFeatures)views).Maps), grid, regions, options.Memory.ViewShare, new Random(seed))
            .MoveToOuterDisposeScope()];
    }

    public ClassReference BuildReference(
        IReadOnlyList<IReadOnlyList<torch.Tensor>> supports, torch.Tensor? textFeatures, ClassRegion? region = null)
    {
        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        var all = torch.cat([.. supports.Select(layers => layers[0].flatten(0, 1))], 0);
        var bank = Rows(all) is { } rows ? all.index_select(0, torch.tensor(rows, device: all.device)) : all;
        return new PatchCoreReference(bank) { Region = region };
    }

    public ClassReference ReadReference(ITensorSource source, torch.Device device, ClassRegion? region = null)
    {
        using var scope = torch.NewDisposeScope();
        return new PatchCoreReference(StoredMatrix.Read(source, "bank.0", -1, options.EmbeddingWidth).to(device)) { Region = region };
    }

    public MethodScores Score(EncodedImages features, ClassReference reference)
    {
        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        var (known, region) = ((PatchCoreReference)reference, reference.Region);
        var all = embedding.Embed(((StageFeatures)features).Maps);                                                 // [B, L, T]
        var cells = region is null ? null : torch.tensor(region.Square.CellsOf(grid), device: all.device);
        var counted = cells is null ? all : all.index_select(1, cells);
        var (patches, images) = scores.Compute(counted, known.Bank);
        var values = cells is null ? patches : torch.zeros(all.shape[0], all.shape[1], device: all.device).index_copy(1, cells, patches);
        var map = GaussianBlur.Apply(maps.Upsampler(grid, region?.Square)(values), Sigma, region?.Inspected);      // [B, S, S]
        var (distances, unlikeness) = known.Directions.Compare([counted]);
        distances[0].Dispose();
        return new MethodScores(map.MoveToOuterDisposeScope(), images.MoveToOuterDisposeScope(), unlikeness.MoveToOuterDisposeScope());
    }

    public torch.Tensor MapScores(torch.Tensor maps, ClassRegion? region = null) => ImageScore.TopMean(maps, 1, region?.Pixels);

    public void Dispose() { }

    /// <summary>The rows of the coreset; null: all.</summary>
    private long[]? Rows(torch.Tensor all)
    {
        if (options.Coreset == CoresetKind.None)
        {
            return null;
        }

        var count = Math.Max(1, (int)((double)options.CoresetShare * all.shape[0]));
        var projected = options.ProjectionWidth is { } width ? Coreset.Project(all, width, options.CoresetSeed) : all;
        return options.Coreset == CoresetKind.Greedy ? Coreset.Exact(projected, count)
            : Coreset.Approximate(projected, count, Coreset.DrawStarts(all.shape[0], Starts, options.CoresetSeed));
    }
}
