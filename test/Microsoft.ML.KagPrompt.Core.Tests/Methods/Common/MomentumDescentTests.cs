using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.TestSupport;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Tests.Methods.Common;

public class MomentumDescentTests
{
    [Fact]
    public void Step_SomeGradients_EqualsPlainNumbers()
    {
        using var scope = NewDisposeScope();
        var parameter = tensor(new[] { 1f, -2f }).requires_grad_(true);
        using var descent = new MomentumDescent([parameter], kept: 0.9, weightDecay: 0.1);
        double[] value = [1, -2], direction = [0, 0];
        foreach (var (step, rate) in new[] { 0.5, 0.2, 0.1 }.Select((rate, step) => (step, rate)))
        {
            descent.ZeroGradients();
            parameter.Squared().sum().Times(step + 1).backward();
            for (var i = 0; i < 2; i++)
            {
                var gradient = (2 * (step + 1) * value[i]) + (0.1 * value[i]);
                direction[i] = step == 0 ? gradient : (0.9 * direction[i]) + gradient;
                value[i] -= rate * direction[i];
            }

            descent.Step(rate);
            parameter.ShouldBeClose(tensor(value), 1e-5, $"after step {step}");
        }
    }
}
