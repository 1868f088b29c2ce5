using Microsoft.ML.KagPrompt.Numerics;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Pretraining;

/// <summary>What makes features of rendered surfaces vary alike in all directions: x ↦ (x − mean)·matrix.</summary>
/// <param name="Mean">[C]</param>
/// <param name="Matrix">[C, C], symmetric.</param>
internal sealed record Whitening(Tensor Mean, Tensor Matrix) : IDisposable
{
    /// <summary>Of features [N, C]. Shrinkage is the share of the mean variance added to every direction: directions that hardly vary must not drown the rest.</summary>
    public static Whitening Learn(Tensor features, double shrinkage)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var mean = features.mean([0]);
        var centred = features.Minus(mean);
        var covariance = centred.t().matmul(centred).Times(1.0 / features.shape[0]).to_type(ScalarType.Float64);
        var variance = covariance.diagonal().mean().Value();
        var (values, vectors) = linalg.eigh(covariance);
        var scale = values.AtLeast(0).Plus(shrinkage * variance).rsqrt().Times(Math.Sqrt(variance));
        var matrix = (vectors * scale).matmul(vectors.t()).to_type(ScalarType.Float32);
        return new Whitening(mean.DetachFromDisposeScope(), matrix.DetachFromDisposeScope());
    }

    public Tensor Apply(Tensor features) => features.Minus(Mean).matmul(Matrix);

    public void Dispose()
    {
        Mean.Dispose();
        Matrix.Dispose();
    }
}
