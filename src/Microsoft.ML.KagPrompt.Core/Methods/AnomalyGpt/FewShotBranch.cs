using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Methods.AnomalyGpt;

/// <summary>
/// AnomalyGPT with support images: per layer the largest cosine similarity of each patch to any support's, mean over layers, stretched to
/// the image; the map is 1 − it, the score the map's largest value. The mean of distances stretched is the same as 1 − the mean of
/// similarities stretched.
/// </summary>
internal sealed partial class FewShotBranch(AnomalyGptOptions options, MethodSizes sizes) : IInspectionMethod
{
    private readonly MapMaker maps = new(MapUpsampling.AlignedCorners, sizes.ImageSize);

    public bool UsesText => false;

    public IReadOnlyDictionary<string, torch.Tensor> Weights { get; } = new Dictionary<string, torch.Tensor>();

    private IReadOnlyList<PatchGrid> Grids => sizes.Memory.TapGrids(sizes.ImageSize);

    public EncodedImages Encode(FeatureEncoder encoder, IReadOnlyList<PixelBuffer> squares)
        => encoder.EncodeForScoring(squares, usesMain: true);

    public ClassRegion Place(SquareRegion region) => new(region, Grids, maps);

    /// <summary>The raw tokens of each layer, [1, n, D].</summary>
    public IReadOnlyList<torch.Tensor> Remember(EncodedImages views, IReadOnlyList<SquareRegion>? regions = null, int seed = 0)
    {
        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        var random = new Random(seed);
        return [.. ((ScoringFeatures)views).ForMemory.PatchTokens.Zip(Grids, (layer, grid)
            => KeptPatches.Keep(layer, grid, regions, options.Memory.ViewShare, random).MoveToOuterDisposeScope())];
    }

    public ClassReference BuildReference(IReadOnlyList<IReadOnlyList<torch.Tensor>> supports, torch.Tensor? textFeatures,
        ClassRegion? region = null)
    {
        textFeatures?.Dispose();
        return new PatchBankReference(MemoryBank.Build(supports)) { Region = region };
    }

    public ClassReference ReadReference(ITensorSource source, torch.Device device, ClassRegion? region = null)
        => new PatchBankReference(PatchBankReference.Read(source, sizes.Memory.TapWidths, device)) { Region = region };

    public MethodScores Score(EncodedImages features, ClassReference reference)
    {
        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        var (known, region) = ((PatchBankReference)reference, reference.Region);
        var (distances, unlikeness) = known.Bank.Compare(((ScoringFeatures)features).ForMemory.PatchTokens,
            region is null ? null : [.. Grids.Select(region.Square.CellsOf)]);
        var map = InspectedPixels.Only(maps.Mean(distances, Grids, region?.Square), region);
        return new(map.MoveToOuterDisposeScope(), MapScores(map, region).MoveToOuterDisposeScope(), unlikeness.MoveToOuterDisposeScope());
    }

    public torch.Tensor MapScores(torch.Tensor maps, ClassRegion? region = null) => InspectedPixels.Largest(maps, region);

    public void Dispose()
    {
    }
}
