using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Text;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Methods.AprilGan;

/// <summary>
/// APRIL-GAN (Chen et al., VAND 2023): projected patches of several layers against words, and the patches themselves against those of the
/// supports. Owns the heads.
/// </summary>
/// <param name="options">The method's choices.</param>
/// <param name="sizes">Of the backbone.</param>
/// <param name="heads">The linear heads.</param>
/// <param name="startsTrained">Whether they were trained before.</param>
internal sealed partial class AprilGanMethod(AprilGanOptions options, MethodSizes sizes, LinearHeads heads, bool startsTrained)
    : ITrainedMethod
{
    private readonly MapMaker maps = new(sizes.Upsampling, sizes.ImageSize);
    private readonly IReadOnlyList<PatchGrid> grids = sizes.Main.TapGrids(sizes.ImageSize);

    public LinearHeads Heads => heads;

    public bool UsesText => true;

    public IReadOnlyDictionary<string, torch.Tensor> Weights => heads.Weights;

    public EncodedImages Encode(FeatureEncoder encoder, IReadOnlyList<PixelBuffer> squares)
        => encoder.EncodeForScoring(squares, usesMain: true);

    public torch.Tensor Describe(PromptTexts texts, string className)
    {
        PromptSentences.RequireName(className);
        var sentences = (texts.Own.TryGetValue(className, out var own) ? own : AprilGanSentences.All).For(className);
        return TextFeatures.Encode(texts.Side.Tower, texts.Side.Tokenizer, sentences, texts.Device);
    }

    public ClassRegion Place(SquareRegion region) => new(region, grids, maps);

    /// <summary>The layers' patches as the backbone gives them, those that count of each view.</summary>
    public IReadOnlyList<torch.Tensor> Remember(EncodedImages views, IReadOnlyList<SquareRegion>? regions = null, int seed = 0)
    {
        if (options.ZeroShot)
        {
            return [];
        }

        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        var random = new Random(seed);
        return [.. ((ScoringFeatures)views).ForMemory.PatchTokens.Zip(grids, (layer, grid)
            => KeptPatches.Keep(layer, grid, regions, options.Memory.ViewShare, random).MoveToOuterDisposeScope())];
    }

    public ClassReference BuildReference(
        IReadOnlyList<IReadOnlyList<torch.Tensor>> supports, torch.Tensor? textFeatures, ClassRegion? region = null)
        => new WordsAndBank(textFeatures!, options.ZeroShot ? null : MemoryBank.Build(supports)) { Region = region };

    public ClassReference ReadReference(ITensorSource source, torch.Device device, ClassRegion? region = null)
        => WordsAndBank.Read(source, sizes.Main.JointWidth, options.ZeroShot ? null : sizes.Main.TapWidths, device, region);

    public MethodScores Score(EncodedImages features, ClassReference reference)
    {
        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        var (seen, known) = (((ScoringFeatures)features).ForMemory, (WordsAndBank)reference);
        var toImage = Upsamplers(known.Region);
        var zeroShot = AprilGanMaps.Sum(seen.PatchTokens.Select((tokens, layer)                                 // [B, S, S]
            => AprilGanMaps.LayerMap(AprilGanMaps.Logits(heads.Project(layer, tokens), known.TextFeatures), toImage[layer])));
        var words = AprilGanMaps.ImageScores(seen.ImageEmbedding, known.TextFeatures);                          // [B]
        if (known.Bank is null)
        {
            var alone = InMap(zeroShot, grids.Count, known.Region);
            return new MethodScores(alone.MoveToOuterDisposeScope(), words.MoveToOuterDisposeScope(), null);
        }

        var region = known.Region?.Square;
        var (distances, unlikeness) = known.Bank.Compare(seen.PatchTokens, region is null ? null : [.. grids.Select(region.CellsOf)]);
        var visual = AprilGanMaps.Sum(distances.Select((distance, layer) => toImage[layer](distance)));
        var map = InMap(zeroShot.Plus(visual), 2 * grids.Count, known.Region);
        var score = words.Plus(MapScores(map, known.Region)).Times(0.5);
        return new MethodScores(map.MoveToOuterDisposeScope(), score.MoveToOuterDisposeScope(), unlikeness.MoveToOuterDisposeScope());
    }

    public torch.Tensor MapScores(torch.Tensor maps, ClassRegion? region = null) => InspectedPixels.Largest(maps, region);

    public bool Train(TrainingRun run)
    {
        var epochs = options.Training.Epochs ?? (startsTrained ? 0 : AprilGanOptions.DefaultEpochs);
        if (epochs == 0)
        {
            return false;
        }

        new HeadTraining(options.Training, heads, Upsamplers(null)).Run(run, epochs);
        return true;
    }

    public void Dispose() => heads.Dispose();

    /// <summary>
    /// The authors' map is a sum over layers; divided by the number of its terms it has the range of a probability, as scores have,
    /// whatever the number of layers.
    /// </summary>
    private static torch.Tensor InMap(torch.Tensor sum, int terms, ClassRegion? region)
        => InspectedPixels.Only(sum.Times(1.0 / terms), region);

    private IReadOnlyList<Func<torch.Tensor, torch.Tensor>> Upsamplers(ClassRegion? region)
        => [.. grids.Select(grid => maps.Upsampler(grid, region?.Square))];
}
