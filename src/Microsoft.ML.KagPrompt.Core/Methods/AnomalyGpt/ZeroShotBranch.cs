using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.KagPrompt.Methods.AnomalyGpt;

/// <summary>
/// AnomalyGPT without support images: each layer's patches through its head, held against the sentences; the logits are stretched to the
/// image, then comes the softmax, and the mean over layers. The score is the map's largest value. Owns the heads.
/// </summary>
internal sealed partial class ZeroShotBranch(MethodSizes sizes, ImageDecoder decoder) : IInspectionMethod
{
    private readonly MapMaker maps = new(MapUpsampling.AlignedCorners, sizes.ImageSize);

    public bool UsesText => true;

    public IReadOnlyDictionary<string, torch.Tensor> Weights => decoder.Weights;

    private IReadOnlyList<PatchGrid> Grids => sizes.Main.TapGrids(sizes.ImageSize);

    public EncodedImages Encode(FeatureEncoder encoder, IReadOnlyList<PixelBuffer> squares)
        => encoder.EncodeForScoring(squares, usesMain: true);

    public ClassRegion Place(SquareRegion region) => new(region, Grids, maps);

    /// <summary>A copy of the heads. The caller owns it.</summary>
    public ImageDecoder CopyDecoder() => decoder.Copy();

    /// <summary>Nothing: supports place the threshold alone.</summary>
    public IReadOnlyList<torch.Tensor> Remember(EncodedImages views, IReadOnlyList<SquareRegion>? regions = null, int seed = 0) => [];

    public ClassReference BuildReference(IReadOnlyList<IReadOnlyList<torch.Tensor>> supports, torch.Tensor? textFeatures,
        ClassRegion? region = null)
        => new SentencesReference(textFeatures ?? throw new ArgumentNullException(nameof(textFeatures))) { Region = region };

    public ClassReference ReadReference(ITensorSource source, torch.Device device, ClassRegion? region = null)
    {
        using var scope = torch.NewDisposeScope();
        var text = StoredMatrix.Read(source, "text", 2, sizes.Main.JointWidth).to(device);
        return new SentencesReference(text.DetachFromDisposeScope()) { Region = region };
    }

    public MethodScores Score(EncodedImages features, ClassReference reference)
    {
        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        var (region, tokens) = (reference.Region, ((ScoringFeatures)features).ForMemory.PatchTokens);
        // [B, 2, S, S]
        var logits = tokens.Select((layer, i)
            => maps.Upsampler(Grids[i], region?.Square)(decoder.Logits(i, layer, reference.TextFeatures!)));
        var map = InspectedPixels.Only(Abnormal([.. logits]), region);
        return new(map.MoveToOuterDisposeScope(), MapScores(map, region).MoveToOuterDisposeScope(), null);
    }

    /// <summary>
    /// The abnormal part of each layer's enlarged logits [B, 2, S, S], mean over layers: [B, S, S]. Within the caller's dispose scope.
    /// </summary>
    public static torch.Tensor Abnormal(IReadOnlyList<torch.Tensor> logits)
        => torch.stack([.. logits.Select(layer => functional.softmax(layer, 1).select(1, 1))]).mean([0]);

    public torch.Tensor MapScores(torch.Tensor maps, ClassRegion? region = null) => InspectedPixels.Largest(maps, region);

    public void Dispose() => decoder.Dispose();

    /// <summary>The class's two groups of sentences. Owns them.</summary>
    private sealed class SentencesReference(torch.Tensor textFeatures) : ClassReference
    {
        public override torch.Tensor? TextFeatures => textFeatures;

        public override IReadOnlyDictionary<string, torch.Tensor> Tensors { get; }
            = new Dictionary<string, torch.Tensor> { ["text"] = textFeatures };
    }
}
