using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Methods.Kag;

/// <summary>
/// KAG-prompt: a graph prompt held against text (12), a memory bank of normal patches (13), and their fusion (14) to (16). Owns the prompt.
/// </summary>
/// <param name="options">The method's choices.</param>
/// <param name="sizes">Of the backbones.</param>
/// <param name="prompt">The graph prompt; null where the memory bank alone scores.</param>
/// <param name="startsTrained">Whether the prompt was trained before.</param>
internal sealed partial class KagMethod(KagOptions options, MethodSizes sizes, GraphPrompt? prompt, bool startsTrained) : ITrainedMethod
{
    private readonly KagVariant variant = KagVariant.For(options.Prompt.Variant);
    private readonly MapMaker maps = new(sizes.Upsampling, sizes.ImageSize);

    public GraphPrompt? Prompt => prompt;

    public MethodSizes Sizes => sizes;

    public bool UsesText => prompt is not null;

    public IReadOnlyDictionary<string, torch.Tensor> Weights => prompt?.Weights ?? new Dictionary<string, torch.Tensor>();

    private bool UsesGraphBank => options.Memory.Features == MemoryFeatures.Graph;

    /// <summary>Where the bank's patches lie in the image, layer by layer.</summary>
    private IReadOnlyList<PatchGrid> BankGrids => UsesGraphBank
        ? [.. sizes.Main.PromptTaps.Widths.Select(_ => sizes.Main.PromptGrid(sizes.ImageSize))]
        : sizes.Memory.TapGrids(sizes.ImageSize);

    /// <summary>Widths of the memory bank's layers.</summary>
    private IReadOnlyList<int> BankWidths
        => UsesGraphBank ? [.. sizes.Main.PromptTaps.Widths.Select(_ => sizes.Main.JointWidth)] : sizes.Memory.TapWidths;

    private KagReferenceBuilder References => new(options, BankGrids);

    public EncodedImages Encode(FeatureEncoder encoder, IReadOnlyList<PixelBuffer> squares)
        => encoder.EncodeForScoring(squares, usesMain: prompt is not null);

    public ClassRegion Place(SquareRegion region)
        => new(region, prompt is null ? BankGrids : [.. BankGrids, sizes.Main.PromptGrid(sizes.ImageSize)], maps);

    /// <summary>P_i, or O_i by option, per layer: what counts of each view, one after the other, [1, n, D].</summary>
    public IReadOnlyList<torch.Tensor> Remember(EncodedImages views, IReadOnlyList<SquareRegion>? regions = null, int seed = 0)
    {
        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        var encoded = (ScoringFeatures)views;
        IEnumerable<torch.Tensor> tokens = UsesGraphBank
            ? prompt!.Outputs(prompt.Nodes(encoded.ForPrompt!.PromptTokens)).unbind(0)
            : encoded.ForMemory.PatchTokens.Select(layer => layer.alias());
        var random = new Random(seed);
        var kept = tokens.Zip(BankGrids, (layer, grid) => KeptPatches.WithCells(layer, grid, regions, options.Memory.ViewShare, random))
            .ToArray();
        return [.. kept.Select(layer => layer.Patches.MoveToOuterDisposeScope()),
            .. kept.Select(layer => layer.Cells.MoveToOuterDisposeScope())];
    }

    /// <summary>
    /// Of what <see cref="Remember"/> kept: patches, and where they come from. Without the second half none is looked up by its place.
    /// </summary>
    public ClassReference BuildReference(
        IReadOnlyList<IReadOnlyList<torch.Tensor>> supports, torch.Tensor? textFeatures, ClassRegion? region = null)
        => References.Build(supports, textFeatures, region);

    public ClassReference LeaveOut(ClassReference whole, IReadOnlyList<IReadOnlyList<torch.Tensor>> supports, int left)
        => References.LeaveOut((KagReference)whole, supports, left);

    public ClassReference ReadReference(ITensorSource source, torch.Device device, ClassRegion? region = null)
    {
        using var scope = torch.NewDisposeScope();
        var text = source.Entries.ContainsKey("text") ? StoredMatrix.Read(source, "text", 2, sizes.Main.JointWidth).to(device) : null;
        if (text is null && prompt is not null)
        {
            throw new ModelFormatException($"{source.Origin}: expected the prompts' features 'text' of every class of a model with a graph "
                + "prompt, got none. Save or fetch the model again.");
        }

        var bank = ReadBank(source, device);
        var near = bank is null || options.Fusion.NearWeight <= 0 ? null : NearReference.Read(source, bank, BankWidths, BankGrids, device);
        return new KagReference(text?.DetachFromDisposeScope(), bank, near) { Region = region };
    }

    private MemoryBank? ReadBank(ITensorSource source, torch.Device device)
    {
        if (!source.Entries.ContainsKey("bank.0"))
        {
            return null;
        }

        torch.Tensor[] layers = [.. BankWidths.Select((width, layer) => StoredMatrix.Read(source, $"bank.{layer}", -1, width).to(device))];
        torch.Tensor[]? weights = source.Entries.ContainsKey("weights.0")
            ? [.. layers.Select((layer, i) => StoredMatrix.Read(source, $"weights.{i}", 1, layer.shape[0]))] : null;
        if (weights?.Select(layer => layer.data<float>().ToArray()).FirstOrDefault(
            values => values.Any(value => value < 0) || Math.Abs(values.Sum() - 1) > 1e-3) is { } wrong)
        {
            throw new ModelFormatException($"{source.Origin}: the weights of the memory bank's patches: expected numbers of at least 0 "
                + $"whose sum is 1, got {wrong.Min()} to {wrong.Max()}, {wrong.Sum()} in all. Save or fetch the model again.");
        }

        return MemoryBank.FromNormalized(layers, weights is null ? null : [.. weights.Select(layer => layer.to(device))]);
    }

    public MethodScores Score(EncodedImages features, ClassReference reference)
    {
        var (results, unlikeness) = Measure((ScoringFeatures)features, reference, [options.Fusion]);
        return new MethodScores(results[0].Maps, results[0].Scores, unlikeness);
    }

    /// <summary>As the other, for several ways to put the branches together; the branches run once. The caller owns the tensors.</summary>
    public IReadOnlyList<(torch.Tensor Maps, torch.Tensor Scores)> Score(ScoringFeatures features, ClassReference reference,
        IReadOnlyList<ScoreFusion> fusions)
    {
        var (results, unlikeness) = Measure(features, reference, fusions);
        unlikeness?.Dispose();
        return results;
    }

    private (IReadOnlyList<(torch.Tensor Maps, torch.Tensor Scores)> Results, torch.Tensor? Unlikeness) Measure(
        ScoringFeatures features, ClassReference reference, IReadOnlyList<ScoreFusion> fusions)
    {
        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        var known = (KagReference)reference;
        var (promptMap, nodes, promptScore) = Prompted(features.ForPrompt, known);
        using var alone = known.Bank is { } bank && LargestProducts.Takes(bank.Layers[0], bank.Layers[0]) ? TorchThreads.Alone() : default;
        var (anywhere, near, unlikeness) = Remembered(features, known, nodes);
        return ([.. fusions.Select(fusion =>
        {
            var share = near is null ? 0 : fusion.NearWeight * known.Near!.Alikeness;
            var memoryMap = share > 0 ? anywhere!.Times(1 - share).Plus(near!.Times(share)) : anywhere;
            var (map, score) = Fuse(fusion, promptMap, promptScore, memoryMap, known.Region);
            return (map.MoveToOuterDisposeScope(), score.MoveToOuterDisposeScope());
        })], unlikeness?.MoveToOuterDisposeScope());
    }

    public torch.Tensor MapScores(torch.Tensor maps, ClassRegion? region = null)
        => ImageScore.TopMean(maps, options.Fusion.TopK, region?.Pixels);

    public bool Train(TrainingRun run)
    {
        if (options.Training.Epochs == 0 || prompt is null)
        {
            return false;
        }

        new GraphTrainer(options, sizes, prompt, run.Encoder, run.TextFeatures, startsTrained: startsTrained)
            .Train(run.Normal, run.Synthesis, run.Seed, run.Report, run.Cancellation);
        return true;
    }

    public void Dispose() => prompt?.Dispose();

    private static (torch.Tensor Map, torch.Tensor Score) Fuse(ScoreFusion fusion, torch.Tensor? promptMap, torch.Tensor? promptScore,
        torch.Tensor? memoryMap, ClassRegion? region)
    {
        (promptMap, promptScore, memoryMap) = fusion.Branches switch
        {
            ScoringBranches.MemoryBank => (null, null, memoryMap),
            ScoringBranches.Prompt => (promptMap, promptScore, null),
            _ => (promptMap, promptScore, memoryMap),
        };
        var map = MapFusion.Fuse(promptMap, memoryMap, fusion.Gamma);                                       // (14)
        map = region is null ? map : map * Mask(region, map.device);
        var contrasted = ImageScore.Contrasted(map, fusion.LocalContrast, region);
        return (map, ImageScore.Fuse(promptScore, ImageScore.TopMean(contrasted, fusion.TopK, region?.Pixels), fusion.Gamma));  // (16)
    }

    /// <summary>1 where inspected: [S, S].</summary>
    private static torch.Tensor Mask(ClassRegion region, torch.Device device)
    {
        var side = (int)Math.Sqrt(region.Inspected.Length);
        return torch.tensor(Array.ConvertAll(region.Inspected, isInside => isInside ? 1f : 0f), [side, side], device: device);
    }

    private (torch.Tensor? Anywhere, torch.Tensor? Near, torch.Tensor? Unlikeness) Remembered(
        ScoringFeatures features, KagReference reference, torch.Tensor? nodes)
    {
        if (reference.Bank is null)
        {
            return (null, null, null);
        }

        var tokens = UsesGraphBank ? prompt!.Outputs(nodes!).unbind(0) : features.ForMemory.PatchTokens;
        var (grids, region) = (BankGrids, reference.Region?.Square);
        long[][]? cells = region is null ? null : [.. grids.Select(region.CellsOf)];
        var (distances, unlikeness) = reference.Bank.Compare(tokens, cells);
        var near = reference.Near is null
            ? null
            : variant.MemoryMap(maps.Mean(reference.Near.Matches.Distances(tokens, cells), grids, region));
        return (variant.MemoryMap(maps.Mean(distances, grids, region)), near, unlikeness);                      // (13)
    }

    private (torch.Tensor? Map, torch.Tensor? Nodes, torch.Tensor? Score) Prompted(VisionFeatures? features, KagReference reference)
    {
        if (prompt is null || reference.TextFeatures is null)
        {
            return (null, null, null);
        }

        using var alone = variant.TakesAtOnce(features!.PromptTokens) ? TorchThreads.Alone() : default;
        var nodes = prompt.Nodes(features.PromptTokens);                                                    // [M, B, L, C']
        var map = PromptMap.Average(nodes, reference.TextFeatures, variant,
            maps.Upsampler(sizes.Main.PromptGrid(sizes.ImageSize), reference.Region?.Square));                // [B, S, S], (12)
        var similarities = prompt.ImageSimilarities(features.ImageEmbedding, reference.TextFeatures);       // [B, 2]
        return (map, nodes, similarities.select(1, 1));                                                     // s1, (15)
    }
}
