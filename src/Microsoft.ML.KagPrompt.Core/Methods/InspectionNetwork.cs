using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Methods;

/// <summary>The networks of a model on one device: frozen backbones, and a method with what weights it has. Owns them.</summary>
internal sealed class InspectionNetwork(FeatureEncoder encoder, IInspectionMethod method) : IDisposable
{
    /// <summary>Images encoded in one forward; bounds the memory of large batches.</summary>
    public const int ForwardBatch = 8;

    public FeatureEncoder Encoder => encoder;

    public IInspectionMethod Method => method;

    public torch.Device Device => encoder.Device;

    /// <summary>S.</summary>
    public int ImageSize => encoder.ImageSize;

    public ImagePreprocessor Preprocessor => encoder.Preprocessor;

    /// <summary>What the method needs to score S × S images. The caller owns it.</summary>
    public ScoringFeatures Encode(IReadOnlyList<PixelBuffer> squares) => encoder.EncodeForScoring(squares, method.UsesMainTower);

    /// <summary>What the method keeps of a support image's views. The caller owns it.</summary>
    public IReadOnlyList<torch.Tensor> Remember(IReadOnlyList<PixelBuffer> views)
    {
        using var features = Encode(views);
        return method.Remember(features);
    }

    /// <summary>Maps [B, S, S] and scores [B] of encoded images of one class; both on the CPU. The caller owns them.</summary>
    public (torch.Tensor Maps, torch.Tensor Scores) Score(ScoringFeatures features, ClassReference reference)
        => encoder.Alone(() =>
        {
            using var scope = torch.NewDisposeScope();
            var (maps, scores) = method.Score(features, reference);
            return (maps.cpu().MoveToOuterDisposeScope(), scores.cpu().MoveToOuterDisposeScope());
        });

    public void Dispose()
    {
        method.Dispose();
        encoder.Dispose();
    }
}
