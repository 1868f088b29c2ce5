using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Methods.PromptAd;

/// <summary>
/// PromptAD: what learned prompts say of each patch and of the whole image, put together with distances to normal patches.
/// </summary>
internal sealed partial class PromptAdMethod(PromptAdOptions options, MethodSizes sizes, IValuePathTower tower) : IClassLearningMethod
{
    // Of what is kept of a support: two banks' patches, then features for the trainings.
    private const int Banks = 2;
    private const int Patches = Banks;
    private const int Image = Banks + 1;

    private readonly MapMaker maps = new(sizes.Upsampling, sizes.ImageSize);

    /// <summary>
    /// The blocks, from 0, inside which the banks' patches are taken: of the authors' twelve the fourth and the ninth, elsewhere as far
    /// along.
    /// </summary>
    public IReadOnlyList<int> BankBlocks => [tower.Depth / 4, tower.Depth * 2 / 3];

    /// <summary>What a class is told is learned, not described: see <see cref="LearnClass"/>.</summary>
    public bool UsesText => false;

    public IReadOnlyDictionary<string, torch.Tensor> Weights { get; } = new Dictionary<string, torch.Tensor>();

    private PatchGrid Grid => PatchGrid.Tiling(sizes.ImageSize / sizes.Main.PatchSize, sizes.ImageSize);

    public EncodedImages Encode(FeatureEncoder encoder, IReadOnlyList<PixelBuffer> squares)
        => encoder.Encode(squares, "value path", images => tower.EncodeValuePath(images, BankBlocks));

    public ClassRegion Place(SquareRegion region) => new(region, [Grid], maps);

    /// <summary>
    /// Patches for the banks, [1, n, D] each; of the image as it is also its patches, [1, m, C'], and itself, [1, C'], in the joint space
    /// at unit length.
    /// </summary>
    public IReadOnlyList<torch.Tensor> Remember(EncodedImages views, IReadOnlyList<SquareRegion>? regions = null, int seed = 0)
    {
        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        var features = (ValuePathFeatures)views;
        var random = new Random(seed);
        torch.Tensor[] kept =
        [
            .. features.Attended.Select(layer => KeptPatches.Keep(layer, Grid, regions, options.Memory.ViewShare, random)),
            KeptPatches.Keep(features.PatchEmbeddings.narrow(0, 0, 1), Grid, regions, 1, random).UnitLength(-1),
            features.ImageEmbedding.narrow(0, 0, 1).UnitLength(-1),
        ];
        return [.. kept.Select(tensor => tensor.MoveToOuterDisposeScope())];
    }

    public torch.Tensor LearnClass(ClassLearning run)
    {
        using var scope = torch.NewDisposeScope();
        var text = PromptAdStart.Promptable(run.Texts.Side.Tower);
        var patches = torch.cat([.. run.Supports.Select(kept => kept[Patches])], 0);            // [k, m, C']
        var images = torch.cat([.. run.Supports.Select(kept => kept[Image])], 0);               // [k, C']
        var directions = torch.cat([Learn(patches, options.MapPrompts, 0), Learn(images, options.ImagePrompts, 1)], 0);
        return directions.Times(text.StoredLogitScale).MoveToOuterDisposeScope();

        torch.Tensor Learn(torch.Tensor features, int normalPrompts, int training)
        {
            var tokens = PromptTokens.Create(run.Texts.Side.Tokenizer, run.ClassName, options, normalPrompts, run.Texts.Device);
            using var prompts = LearnedPrompts.Draw(text, tokens, options, unchecked((run.Seed * 397) ^ training));
            new PromptTrainer(options).Train(prompts, features, text.StoredLogitScale,
                (step, losses) => run.Report(Progress((training * options.Epochs) + step, losses)), run.Cancellation);
            return prompts.Gallery();
        }

        TrainingProgress Progress(int done, PromptLosses losses) => new("training", done + 1, 2 * options.Epochs)
        {
            Epoch = (done % options.Epochs) + 1,
            Loss = (losses.Contrastive.Value(), 0, 0),
        };
    }

    public ClassReference BuildReference(IReadOnlyList<IReadOnlyList<torch.Tensor>> supports, torch.Tensor? textFeatures,
        ClassRegion? region = null)
        => new PromptAdReference(textFeatures ?? throw new ArgumentNullException(nameof(textFeatures)),
            MemoryBank.Build([.. supports.Select(kept => kept.Take(Banks).ToArray())])) { Region = region };

    public ClassReference ReadReference(ITensorSource source, torch.Device device, ClassRegion? region = null)
        => PromptAdReference.Read(source, sizes.Main.TapWidths[0], sizes.Main.JointWidth, device, region);

    public MethodScores Score(EncodedImages features, ClassReference reference)
    {
        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        var (encoded, known, region) = ((ValuePathFeatures)features, (PromptAdReference)reference, reference.Region);
        var cells = region?.Square.CellsOf(Grid);
        var (visual, unlikeness) = PromptAdMaps.Visual(known.Bank, encoded.Attended, cells is null ? null : [cells, cells]);  // [B, L]
        var toImage = maps.Upsampler(Grid, region?.Square);
        var values = PromptAdMaps.Fused(PromptAdMaps.Textual(encoded.PatchEmbeddings, known.ForPatches), visual);
        var fused = InspectedPixels.Only(toImage(values), region);
        var map = options.MapSigma == 0 ? fused : GaussianBlur.Apply(fused, options.MapSigma, region?.Inspected);
        var score = PromptAdMaps.Fused(InspectedPixels.Largest(toImage(visual), region),
            PromptAdMaps.Textual(encoded.ImageEmbedding, known.ForImages));
        return new(map.MoveToOuterDisposeScope(), score.MoveToOuterDisposeScope(), unlikeness.MoveToOuterDisposeScope());
    }

    public torch.Tensor MapScores(torch.Tensor maps, ClassRegion? region = null) => InspectedPixels.Largest(maps, region);

    public void Dispose()
    {
    }
}
