using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Graph;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Scoring;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Model;

/// <summary>The networks of a model on one device: the vision tower and, once trained, the graph prompt. Owns both.</summary>
internal sealed class InspectionNetwork : IDisposable
{
    // Two forwards at once, each on all cores, are slower than one after the other.
    private readonly SemaphoreSlim gate = new(1, 1);

    public InspectionNetwork(string backboneName, Shared<IVisionTower> vision, GraphPrompt? prompt, InspectionOptions options, torch.Device device)
    {
        (BackboneName, Vision, Prompt, Options, Device) = (backboneName, vision, prompt, options, device);
        var info = Tower.Info;
        ImageSize = options.ImageSize ?? info.ImageSize;
        if (ImageSize % info.PatchSize != 0)
        {
            throw new ArgumentException($"ImageSize: expected a multiple of the backbone's patch size {info.PatchSize}, got {ImageSize}.");
        }

        Preprocessor = new ImagePreprocessor(ImageSize, options.ResizeMode, info.Mean, info.Std);
    }

    public string BackboneName { get; }

    public Shared<IVisionTower> Vision { get; }

    public IVisionTower Tower => Vision.Value;

    public GraphPrompt? Prompt { get; }

    public InspectionOptions Options { get; }

    public torch.Device Device { get; }

    /// <summary>S.</summary>
    public int ImageSize { get; }

    public ImagePreprocessor Preprocessor { get; }

    /// <summary>Features of S × S images, on the device, without gradients. The caller owns them.</summary>
    public VisionFeatures Encode(IReadOnlyList<PixelBuffer> squares)
    {
        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        var images = Preprocessor.Normalize(squares).to(Device);        // [B, 3, S, S]
        gate.Wait();
        try
        {
            var features = Tower.Encode(images);
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

    /// <summary>The patches a memory bank is made of, per layer [B, L, D]: P_i, or O_i by option. The caller owns them.</summary>
    public IReadOnlyList<torch.Tensor> BankTokens(VisionFeatures features)
    {
        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        IEnumerable<torch.Tensor> tokens = UsesGraphBank ? Prompt!.Outputs(Prompt.Nodes(features.PatchTokens)).unbind(0) : features.PatchTokens.Select(layer => layer.alias());
        return [.. tokens.Select(layer => layer.MoveToOuterDisposeScope())];
    }

    /// <summary>Maps [B, S, S] and scores [B] of encoded images of one class; both on the CPU. The caller owns them.</summary>
    public (torch.Tensor Maps, torch.Tensor Scores) Score(VisionFeatures features, ClassReference reference)
    {
        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        gate.Wait();
        try
        {
            var (promptMap, nodes, promptScore) = Prompted(features, reference);
            IReadOnlyList<torch.Tensor> bankTokens = UsesGraphBank ? nodes!.unbind(0) : features.PatchTokens;
            var memoryMap = reference.Bank is null ? null : MemoryMap.FromDistances(reference.Bank.Distances(bankTokens), ImageSize, Options.Variant);  // (13)
            var map = MapFusion.Fuse(promptMap, memoryMap, Options.Gamma);                               // (14)
            var score = ImageScore.Fuse(promptScore, ImageScore.TopMean(map, Options.TopK), Options.Gamma);   // (16)
            return (map.cpu().MoveToOuterDisposeScope(), score.cpu().MoveToOuterDisposeScope());
        }
        finally
        {
            gate.Release();
        }
    }

    private bool UsesGraphBank => Options.MemoryFeatures == MemoryFeatures.Graph;

    private (torch.Tensor? Map, torch.Tensor? Nodes, torch.Tensor? Score) Prompted(VisionFeatures features, ClassReference reference)
    {
        if (Prompt is null || reference.TextFeatures is null)
        {
            return (null, null, null);
        }

        var nodes = Prompt.Nodes(features.PatchTokens);                              // [M, B, L, C']
        var map = PromptMap.Average(nodes, reference.TextFeatures, ImageSize, Options.Variant);   // [B, S, S], (12)
        var similarities = Prompt.ImageSimilarities(features.ImageEmbedding, reference.TextFeatures);   // [B, 2]
        return (map, nodes, similarities.select(1, 1));                                    // s1, (15)
    }

    public void Dispose()
    {
        Prompt?.Dispose();
        Vision.Release();
        gate.Dispose();
    }
}
