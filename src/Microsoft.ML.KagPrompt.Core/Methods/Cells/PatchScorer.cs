using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Methods.Common;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Methods.Cells;

/// <summary>
/// A method without weights that gives every cell of the joined taps one value. The map is read linearly between the cells' centres and
/// smoothed; the score is the mean of the largest values of cells, not of pixels.
/// </summary>
internal abstract partial class PatchScorer(PatchScorerOptions options, MethodSizes sizes) : IInspectionMethod
{
    private readonly MapMaker maps = new(sizes.Upsampling, sizes.ImageSize);

    public bool UsesText => false;

    public IReadOnlyDictionary<string, torch.Tensor> Weights { get; } = new Dictionary<string, torch.Tensor>();

    /// <summary>From taps to one feature a cell.</summary>
    protected JoinedTaps Joined { get; } = new(sizes.Memory, sizes.ImageSize);

    public EncodedImages Encode(FeatureEncoder encoder, IReadOnlyList<PixelBuffer> squares)
        => encoder.EncodeForScoring(squares, usesMain: true);

    public ClassRegion Place(SquareRegion region) => new(region, [Joined.Grid], maps);

    /// <summary>What is kept of each cell, by default its joined feature: [1, n, *] each.</summary>
    public IReadOnlyList<torch.Tensor> Remember(EncodedImages views, IReadOnlyList<SquareRegion>? regions = null, int seed = 0)
    {
        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        // Of every kind the same cells: each draws from the same numbers.
        return [.. Kinds(Joined.Join(((ScoringFeatures)views).ForMemory.PatchTokens)).Select(kind
            => Condensed(KeptPatches.Keep(kind, Joined.Grid, regions, options.Memory.ViewShare, new Random(seed)))
                .MoveToOuterDisposeScope())];
    }

    /// <summary>The class of what was remembered of its supports; every method of this kind does without text.</summary>
    public ClassReference BuildReference(IReadOnlyList<IReadOnlyList<torch.Tensor>> supports, torch.Tensor? textFeatures,
        ClassRegion? region = null)
    {
        textFeatures?.Dispose();
        return Build(supports, region);
    }

    public abstract ClassReference ReadReference(ITensorSource source, torch.Device device, ClassRegion? region = null);

    public MethodScores Score(EncodedImages features, ClassReference reference)
    {
        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        var region = reference.Region;
        var cells = Joined.Join(((ScoringFeatures)features).ForMemory.PatchTokens);                                    // [B, L, D]
        var inspected = region?.Square.CellsOf(Joined.Grid) ?? [.. Enumerable.Range(0, (int)cells.shape[1]).Select(cell => (long)cell)];
        var index = torch.tensor(inspected, device: cells.device);
        var (values, unlikeness) = Measure(region is null ? cells : cells.index_select(1, index), inspected, reference);  // [B, n]
        var all = region is null ? values : torch.zeros(cells.shape[0], cells.shape[1], dtype: values.dtype, device: values.device)
            .index_copy(1, index, values);
        var map = InspectedPixels.Only(maps.Upsampler(Joined.Grid, region?.Square)(all), region);
        var smooth = options.MapSigma == 0 ? map : GaussianBlur.Apply(map, options.MapSigma, region?.Inspected);
        return new(smooth.MoveToOuterDisposeScope(), LargestValues.Mean(values, options.TopShare).MoveToOuterDisposeScope(),
            unlikeness?.MoveToOuterDisposeScope());
    }

    public torch.Tensor MapScores(torch.Tensor maps, ClassRegion? region = null) => LargestValues.Mean(maps, options.TopShare, region);

    public void Dispose()
    {
    }

    /// <summary>What is kept of the cells of each view, [views, L, *] each. Within the caller's dispose scope.</summary>
    /// <param name="cells">[views, L, D].</param>
    protected virtual IReadOnlyList<torch.Tensor> Kinds(torch.Tensor cells) => [cells];

    /// <summary>
    /// What a method needs of what was kept of a support, [1, n, *]: less of it, where it needs no single cells. Within the caller's
    /// dispose scope.
    /// </summary>
    protected virtual torch.Tensor Condensed(torch.Tensor kept) => kept;

    /// <summary>As <see cref="BuildReference"/>.</summary>
    protected abstract ClassReference Build(IReadOnlyList<IReadOnlyList<torch.Tensor>> supports, ClassRegion? region);

    /// <summary>
    /// One value a cell, 0 or more, and what the images lack of the supports where the method can tell. Within the caller's dispose scope.
    /// </summary>
    /// <param name="cells">[B, n, D], rows of unit length.</param>
    /// <param name="places">Which cells they are, by number.</param>
    /// <param name="reference">The class.</param>
    protected abstract (torch.Tensor Values, torch.Tensor? Unlikeness) Measure(torch.Tensor cells, long[] places, ClassReference reference);
}
