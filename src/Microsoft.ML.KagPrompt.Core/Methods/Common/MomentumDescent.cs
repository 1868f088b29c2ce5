using Microsoft.ML.KagPrompt.Numerics;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.Common;

/// <summary>
/// Stochastic gradient descent with momentum and weight decay in the gradient, as PyTorch's SGD. Owns its momentum, not the parameters.
/// </summary>
internal sealed class MomentumDescent : IDisposable
{
    private readonly IReadOnlyList<Tensor> parameters;
    private readonly Tensor[] momentum;
    private readonly double kept;
    private readonly double weightDecay;
    private bool hasStarted;

    /// <param name="parameters">What is trained.</param>
    /// <param name="kept">The share of the last step's direction that is kept.</param>
    /// <param name="weightDecay">Of the parameters themselves, added to the gradient.</param>
    public MomentumDescent(IReadOnlyList<Tensor> parameters, double kept, double weightDecay)
    {
        (this.parameters, this.kept, this.weightDecay) = (parameters, kept, weightDecay);
        momentum = [.. parameters.Select(parameter => zeros_like(parameter, requires_grad: false).DetachFromDisposeScope())];
    }

    public void ZeroGradients()
    {
        // The scope holds on to each gradient while the native call uses it.
        using var scope = NewDisposeScope();
        foreach (var parameter in parameters)
        {
            parameter.grad?.zero_();
        }
    }

    /// <summary>One step: g ← g + decay · θ; m ← g at first, then kept · m + g; θ ← θ − rate · m.</summary>
    public void Step(double rate)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        for (var i = 0; i < parameters.Count; i++)
        {
            if (parameters[i].grad is not { } gradient)
            {
                continue;
            }

            momentum[i].Scale(hasStarted ? kept : 0);
            momentum[i].Add(gradient);
            momentum[i].AddScaled(parameters[i], weightDecay);
            parameters[i].AddScaled(momentum[i], -rate);
        }

        hasStarted = true;
    }

    public void Dispose()
    {
        foreach (var direction in momentum)
        {
            direction.Dispose();
        }
    }
}
