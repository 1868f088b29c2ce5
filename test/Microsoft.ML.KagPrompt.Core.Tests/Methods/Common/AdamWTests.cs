using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Tests.Methods.Common;

public class AdamWTests
{
    /// <summary>AdamW as Loshchilov and Hutter (2019) write it, with the gradient clipped to its global norm.</summary>
    [Fact]
    public void Step_QuadraticLoss_FollowsAdamWByHand()
    {
        const double Rate = 0.1, Decay = 0.01, Clip = 1.5;
        using var scope = NewDisposeScope();
        double[] x = [3, -1, 0.5];
        var weight = tensor(x).requires_grad_(true);
        using var optimizer = new AdamW([weight], 0.9, 0.95, Decay);
        var (m, v) = (new double[3], new double[3]);
        for (var step = 1; step <= 25; step++)
        {
            var norm = Math.Sqrt(x.Sum(value => 4 * value * value));
            for (var i = 0; i < 3; i++)
            {
                var gradient = 2 * x[i] * Math.Min(1, Clip / norm);
                m[i] = (0.9 * m[i]) + (0.1 * gradient);
                v[i] = (0.95 * v[i]) + (0.05 * gradient * gradient);
                var (mean, square) = (m[i] / (1 - Math.Pow(0.9, step)), v[i] / (1 - Math.Pow(0.95, step)));
                x[i] -= (Rate * Decay * x[i]) + (Rate * mean / (Math.Sqrt(square) + 1e-8));
            }

            optimizer.ZeroGradients();
            weight.Squared().sum().backward();
            optimizer.ClipGradients(Clip).Should().BeApproximately(norm, 1e-5);
            optimizer.Step(Rate);
            weight.data<double>().ToArray().Should().Equal(x, (a, b) => Math.Abs(a - b) < 1e-6);
        }
    }
}
