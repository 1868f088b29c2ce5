using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Numerics;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Pretraining;

/// <summary>
/// Momentum whose every step is made orthogonal (Jordan 2024, "Muon"): all directions of a kernel learn at one rate, which spares many steps where images are few. Its
/// scale is chosen so that AdamW's rates suit it (Liu et al. 2025). For kernels; vectors stay with AdamW. Owns its moments, not the parameters.
/// </summary>
internal sealed class Muon(IReadOnlyList<Tensor> kernels, double momentum, double weightDecay) : IDisposable
{
    private const int Iterations = 5;

    private readonly Tensor[] moments = [.. kernels.Select(kernel => zeros_like(kernel, requires_grad: false).DetachFromDisposeScope())];

    /// <summary>One step with Nesterov's momentum.</summary>
    public void Step(double rate)
    {
        using var noGradients = no_grad();
        for (var i = 0; i < moments.Length; i++)
        {
            using var scope = NewDisposeScope();
            if (kernels[i].grad is not { } gradient)
            {
                continue;
            }

            moments[i].Scale(momentum);
            moments[i].AddScaled(gradient, 1 - momentum);
            var ahead = gradient.Times(1 - momentum).Plus(moments[i].Times(momentum)).flatten(1);        // [O, I·h·w]
            var step = Orthogonal(ahead).view(kernels[i].shape).to_type(ScalarType.Float32);
            kernels[i].Scale(1 - (rate * weightDecay));
            kernels[i].AddScaled(step, -rate * 0.2 * Math.Sqrt(Math.Max(ahead.shape[0], ahead.shape[1])));
        }
    }

    public void Dispose()
    {
        foreach (var moment in moments)
        {
            moment.Dispose();
        }
    }

    /// <summary>Brings all singular values near 1 by Newton and Schulz's iteration, with Jordan's coefficients.</summary>
    private static Tensor Orthogonal(Tensor matrix)
    {
        var tall = matrix.shape[0] > matrix.shape[1];
        var x = (tall ? matrix.t() : matrix) / matrix.norm().AtLeast(1e-12);
        x = x.to_type(ScalarType.BFloat16);
        for (var i = 0; i < Iterations; i++)
        {
            var square = x.matmul(x.t());
            var polynomial = square.Times(-4.7750).Plus(square.matmul(square).Times(2.0315));
            x = x.Times(3.4445).Plus(polynomial.matmul(x));
        }

        return tall ? x.t().contiguous() : x;
    }
}
