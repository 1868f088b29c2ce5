using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Backbones.Residual;

/// <summary>
/// A torchvision ResNet under the tower's names, each batch normalisation folded into the convolution before it, in 64 bit: γ (W x − μ) /
/// √(σ² + ε) + β. Does not own the source.
/// </summary>
internal sealed class FoldedTensors(ITensorSource source, ResidualNetworkConfig config) : ITensorSource
{
    private const double Epsilon = 1e-5;

    public string Origin => source.Origin;

    public IReadOnlyDictionary<string, TensorInfo> Entries { get; } = ResidualNetwork.Shapes(config)
        .ToDictionary(entry => entry.Key, entry => new TensorInfo(entry.Key, torch.ScalarType.Float64, entry.Value));

    public IReadOnlyDictionary<string, string> Metadata => source.Metadata;

    public bool ReadsInParallel => source.ReadsInParallel;

    public string NameInFile(string name)
        => Split(name) is var (convolution, norm, isBias) && isBias ? $"{norm}.bias" : $"{convolution}.weight";

    public torch.Tensor Read(string name)
    {
        using var scope = torch.NewDisposeScope();
        var (convolution, norm, isBias) = Split(name);
        torch.Tensor Double(string part) => source.Read(part).to(torch.ScalarType.Float64);
        var factor = Double($"{norm}.weight") / Double($"{norm}.running_var").Plus(Epsilon).sqrt();
        var folded = isBias ? Double($"{norm}.bias").Minus(Double($"{norm}.running_mean") * factor)
            : Double($"{convolution}.weight") * factor.view(-1, 1, 1, 1);
        return folded.MoveToOuterDisposeScope();
    }

    public void Dispose() { }

    private static (string Convolution, string Norm, bool IsBias) Split(string name)
    {
        var (convolution, norm) = ResNetLayout.NamesThere(name[..name.LastIndexOf('.')]);
        return (convolution, norm, name.EndsWith(".bias", StringComparison.Ordinal));
    }
}
