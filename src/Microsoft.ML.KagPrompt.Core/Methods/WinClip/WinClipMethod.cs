using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Text;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Methods.WinClip;

/// <summary>
/// WinCLIP (Jeong et al., CVPR 2023): words against the image and its windows; with supports (WinCLIP+) also patches and windows against
/// theirs. It has no weights of its own.
/// </summary>
internal sealed partial class WinClipMethod : IInspectionMethod
{
    private readonly WinClipOptions options;
    private readonly MethodSizes sizes;
    private readonly MapMaker maps;
    private readonly PatchGrid grid;
    private readonly WindowGrid[] windows;

    /// <exception cref="ArgumentException">The images have fewer patches a side than the largest window.</exception>
    public WinClipMethod(WinClipOptions options, MethodSizes sizes)
    {
        (this.options, this.sizes) = (options, sizes);
        (maps, grid) = (new MapMaker(sizes.Upsampling, sizes.ImageSize), sizes.Main.PromptGrid(sizes.ImageSize));
        windows = [.. WindowGrid.Scales.Select(scale => new WindowGrid(grid.Rows, scale))];
        if (windows.Any(window => window.Steps < 1))
        {
            throw new ArgumentException(
                $"Images.Size: expected at least {WindowGrid.Scales.Max()} patches of {sizes.Main.PatchSize} pixels "
                + $"a side, as the largest window has, got {sizes.ImageSize} pixels.");
        }
    }

    public bool UsesText => true;

    public IReadOnlyDictionary<string, torch.Tensor> Weights { get; } = new Dictionary<string, torch.Tensor>();

    /// <summary>
    /// The patches after the last block, then the windows of each scale in the joint space. A transformer's taps have its width.
    /// </summary>
    private IReadOnlyList<int> BankWidths => [sizes.Main.TapWidths[0], .. windows.Select(_ => sizes.Main.JointWidth)];

    public EncodedImages Encode(FeatureEncoder encoder, IReadOnlyList<PixelBuffer> squares)
        => encoder.Encode(squares, "windows", images => ((IWindowTower)encoder.Tower).EncodeWindows(images,
            [.. windows.Select(window => torch.tensor(window.PatchIndices(), device: images.device))]));

    /// <summary>The plain means of the sentences as the tower gives them, of any length, [2, C'], normal first.</summary>
    public torch.Tensor Describe(PromptTexts texts, string className)
    {
        PromptSentences.RequireName(className);
        var sentences = (texts.Own.TryGetValue(className, out var own) ? own : WinClipSentences.All).For(className);
        return TextFeatures.RawMeans(texts.Side.Tower, texts.Side.Tokenizer, sentences, texts.Device);
    }

    public ClassRegion Place(SquareRegion region) => new(region, [grid], maps);

    /// <summary>What counts of each view, layer by layer: patches inside, and the windows that hold one of them.</summary>
    public IReadOnlyList<torch.Tensor> Remember(EncodedImages views, IReadOnlyList<SquareRegion>? regions = null, int seed = 0)
    {
        if (options.ZeroShot)
        {
            return [];
        }

        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        var random = new Random(seed);
        return [.. Layers((WindowFeatures)views).Select((layer, i)
            => KeptRows.Keep(layer, regions is null ? null : view => Counted(regions[view])[i], options.Memory.ViewShare, random)
                .MoveToOuterDisposeScope())];
    }

    public ClassReference BuildReference(
        IReadOnlyList<IReadOnlyList<torch.Tensor>> supports, torch.Tensor? textFeatures, ClassRegion? region = null)
        => new WordsAndBank(textFeatures!, options.ZeroShot ? null : MemoryBank.Build(supports)) { Region = region };

    public ClassReference ReadReference(ITensorSource source, torch.Device device, ClassRegion? region = null)
        => WordsAndBank.Read(source, sizes.Main.JointWidth, options.ZeroShot ? null : BankWidths, device, region);

    public MethodScores Score(EncodedImages features, ClassReference reference)
    {
        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        var (seen, known) = ((WindowFeatures)features, (WordsAndBank)reference);
        var image = WinClipMaps.Abnormality(seen.ImageEmbedding, known.TextFeatures);                                           // [B]
        var zeroShot = WinClipMaps.MultiScale(image, [.. windows.Zip(seen.Windows, (window, embeddings)
            => window.HarmonicMean(WinClipMaps.Abnormality(embeddings, known.TextFeatures)))]);                                 // [B, g²]
        if (known.Bank is null)
        {
            return new MethodScores(ToImage(zeroShot, known.Region).MoveToOuterDisposeScope(), image.MoveToOuterDisposeScope(), null);
        }

        var counted = known.Region is null ? null : Counted(known.Region.Square);
        var (distances, unlikeness) = known.Bank.Compare(Layers(seen), counted);
        var visual = WinClipMaps.Association(distances, windows).Mean;                                                         // [B, g²]
        var largest = (counted is null ? visual : visual.index_select(1, torch.tensor(counted[0], device: visual.device))).amax([1]);
        var (map, score) = (ToImage(WinClipMaps.Halved(zeroShot, visual), known.Region), WinClipMaps.Halved(image, largest));
        return new MethodScores(map.MoveToOuterDisposeScope(), score.MoveToOuterDisposeScope(), unlikeness.MoveToOuterDisposeScope());
    }

    public torch.Tensor MapScores(torch.Tensor maps, ClassRegion? region = null) => InspectedPixels.Largest(maps, region);

    public void Dispose()
    {
    }

    private static IReadOnlyList<torch.Tensor> Layers(WindowFeatures features) => [features.PatchTokens, .. features.Windows];

    /// <summary>What counts of each layer in a region, by number.</summary>
    private IReadOnlyList<long[]> Counted(SquareRegion region)
    {
        var cells = region.CellsOf(grid);
        return [cells, .. windows.Select(window => window.Holding(cells))];
    }

    private torch.Tensor ToImage(torch.Tensor patches, ClassRegion? region)
        => InspectedPixels.Only(maps.Upsampler(grid, region?.Square)(patches), region);
}
