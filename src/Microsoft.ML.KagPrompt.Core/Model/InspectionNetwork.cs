using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Methods.Kag;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Model;

/// <summary>The networks of a model on one device: the vision tower, perhaps another for the memory bank and, once trained, the graph prompt. Owns them.</summary>
internal sealed class InspectionNetwork : IDisposable
{
    // Two forwards at once, each on all cores, are slower than one after the other.
    private readonly SemaphoreSlim gate = new(1, 1);
    private readonly ImagePreprocessor memoryPreprocessor;

    public InspectionNetwork(Shared<NetworkTower> vision, Shared<NetworkTower>? memory, GraphPrompt? prompt, InspectionOptions options, torch.Device device)
    {
        NativeHeap.Keep();
        (Vision, Memory, Prompt, Options, Device) = (vision, memory, prompt, options, device);
        var info = Tower.Info;
        ImageSize = options.ImageSize ?? info.ImageSize;
        foreach (var (option, tower) in new[] { (nameof(options.Backbone), Tower), (nameof(options.MemoryBackbone), MemoryTower) })
        {
            if (ImageSize % tower.Info.PatchSize != 0)
            {
                throw new ArgumentException($"ImageSize: expected a multiple of the patch size {tower.Info.PatchSize} ({option}), got {ImageSize}.");
            }
        }

        Preprocessor = new ImagePreprocessor(ImageSize, options.ResizeMode, info.Mean, info.Std);
        memoryPreprocessor = memory is null ? Preprocessor : new ImagePreprocessor(ImageSize, options.ResizeMode, MemoryTower.Info.Mean, MemoryTower.Info.Std);
    }

    public Shared<NetworkTower> Vision { get; }

    /// <summary>The memory bank's own tower; null where it shares the other.</summary>
    public Shared<NetworkTower>? Memory { get; }

    public IVisionTower Tower => Vision.Value.Tower;

    public IVisionTower MemoryTower => (Memory ?? Vision).Value.Tower;

    public GraphPrompt? Prompt { get; }

    public InspectionOptions Options { get; }

    public torch.Device Device { get; }

    /// <summary>S.</summary>
    public int ImageSize { get; }

    public ImagePreprocessor Preprocessor { get; }

    /// <summary>Widths of the memory bank's layers.</summary>
    public IReadOnlyList<int> BankWidths => UsesGraphBank ? [.. Tower.Info.TapWidths.Select(_ => Tower.Info.JointWidth)] : MemoryTower.Info.TapWidths;

    private bool UsesGraphBank => Options.MemoryFeatures == MemoryFeatures.Graph;

    /// <summary>Features of S × S images for the graph prompt, on the device, without gradients. The caller owns them.</summary>
    public VisionFeatures Encode(IReadOnlyList<PixelBuffer> squares) => Encode(squares, Tower, Preprocessor);

    /// <summary>Features for both branches; towers that nothing needs do not run. The caller owns them.</summary>
    public ScoringFeatures EncodeForScoring(IReadOnlyList<PixelBuffer> squares)
    {
        if (Memory is null)
        {
            return new ScoringFeatures(Encode(squares), null);
        }

        var prompted = Prompt is null ? null : Encode(squares);
        try
        {
            return new ScoringFeatures(prompted, Encode(squares, MemoryTower, memoryPreprocessor));
        }
        catch
        {
            prompted?.Dispose();
            throw;
        }
    }

    /// <summary>The patches a memory bank is made of, per layer [B, L, D]: P_i, or O_i by option. The caller owns them.</summary>
    public IReadOnlyList<torch.Tensor> BankTokens(ScoringFeatures features)
    {
        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        IEnumerable<torch.Tensor> tokens = UsesGraphBank ? Prompt!.Outputs(Prompt.Nodes(features.ForPrompt!.PatchTokens)).unbind(0) : features.ForMemory.PatchTokens.Select(layer => layer.alias());
        return [.. tokens.Select(layer => layer.MoveToOuterDisposeScope())];
    }

    /// <summary>Maps [B, S, S] and scores [B] of encoded images of one class; both on the CPU. The caller owns them.</summary>
    public (torch.Tensor Maps, torch.Tensor Scores) Score(ScoringFeatures features, ClassReference reference) => Score(features, reference, [ScoreFusion.Of(Options)])[0];

    /// <summary>As <see cref="Score(ScoringFeatures, ClassReference)"/>, for several ways to put the branches together; the branches run once. The caller owns the tensors.</summary>
    public IReadOnlyList<(torch.Tensor Maps, torch.Tensor Scores)> Score(ScoringFeatures features, ClassReference reference, IReadOnlyList<ScoreFusion> fusions)
    {
        var (results, unlikeness) = Measure(features, reference, fusions);
        unlikeness?.Dispose();
        return results;
    }

    /// <summary>As <see cref="Score(ScoringFeatures, ClassReference)"/>, with what each image lacks of the bank [B]; null without one.</summary>
    public (torch.Tensor Maps, torch.Tensor Scores, torch.Tensor? Unlikeness) Measure(ScoringFeatures features, ClassReference reference)
    {
        var (results, unlikeness) = Measure(features, reference, [ScoreFusion.Of(Options)]);
        return (results[0].Maps, results[0].Scores, unlikeness);
    }

    private (IReadOnlyList<(torch.Tensor Maps, torch.Tensor Scores)> Results, torch.Tensor? Unlikeness) Measure(
        ScoringFeatures features, ClassReference reference, IReadOnlyList<ScoreFusion> fusions)
    {
        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        gate.Wait();
        try
        {
            var prompted = Prompted(features.ForPrompt, reference);
            var bankTokens = UsesGraphBank ? Prompt!.Outputs(prompted.Nodes!).unbind(0) : features.ForMemory.PatchTokens;
            (torch.Tensor Distances, torch.Tensor Unlikeness)? compared = reference.Bank?.Compare(bankTokens);
            var memoryMap = compared is null ? null : MemoryMap.FromDistances(compared.Value.Distances, ImageSize, Options.Variant);  // (13)
            var results = fusions.Select(fusion => Fuse(fusion, prompted.Map, prompted.Score, memoryMap)).ToArray();
            foreach (var (maps, scores) in results)
            {
                maps.MoveToOuterDisposeScope();
                scores.MoveToOuterDisposeScope();
            }

            return (results, compared?.Unlikeness.cpu().MoveToOuterDisposeScope());
        }
        finally
        {
            gate.Release();
        }
    }

    public void Dispose()
    {
        Prompt?.Dispose();
        Vision.Release();
        Memory?.Release();
        gate.Dispose();
    }

    private static (torch.Tensor Maps, torch.Tensor Scores) Fuse(ScoreFusion fusion, torch.Tensor? promptMap, torch.Tensor? promptScore, torch.Tensor? memoryMap)
    {
        (promptMap, promptScore, memoryMap) = fusion.Branches switch
        {
            ScoringBranches.MemoryBank => (null, null, memoryMap),
            ScoringBranches.Prompt => (promptMap, promptScore, null),
            _ => (promptMap, promptScore, memoryMap),
        };
        var map = MapFusion.Fuse(promptMap, memoryMap, fusion.Gamma);                                       // (14)
        var score = ImageScore.Fuse(promptScore, ImageScore.TopMean(map, fusion.TopK), fusion.Gamma);       // (16)
        return (map.cpu(), score.cpu());
    }

    private VisionFeatures Encode(IReadOnlyList<PixelBuffer> squares, IVisionTower tower, ImagePreprocessor preprocessor)
    {
        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        var images = preprocessor.Normalize(squares).to(Device);        // [B, 3, S, S]
        gate.Wait();
        try
        {
            var features = tower.Encode(images);
            foreach (var tokens in features.PatchTokens)
            {
                tokens.MoveToOuterDisposeScope();
            }

            features.ImageEmbedding.MoveToOuterDisposeScope();
            return features;
        }
        finally
        {
            gate.Release();
        }
    }

    private (torch.Tensor? Map, torch.Tensor? Nodes, torch.Tensor? Score) Prompted(VisionFeatures? features, ClassReference reference)
    {
        if (Prompt is null || reference.TextFeatures is null)
        {
            return (null, null, null);
        }

        var nodes = Prompt.Nodes(features!.PatchTokens);                             // [M, B, L, C']
        var map = PromptMap.Average(nodes, reference.TextFeatures, ImageSize, Options.Variant);   // [B, S, S], (12)
        var similarities = Prompt.ImageSimilarities(features.ImageEmbedding, reference.TextFeatures);   // [B, 2]
        return (map, nodes, similarities.select(1, 1));                                    // s1, (15)
    }
}
