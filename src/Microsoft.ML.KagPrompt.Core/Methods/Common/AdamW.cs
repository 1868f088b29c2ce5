using Microsoft.ML.KagPrompt.Numerics;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.Common;

/// <summary>
/// Adam with decoupled weight decay (Loshchilov and Hutter 2019), and clipping by the global norm. Owns its moments, not the parameters.
/// </summary>
internal sealed class AdamW : IDisposable
{
    private const double Epsilon = 1e-8;

    private readonly IReadOnlyList<Tensor> parameters;
    private readonly Tensor[] first;
    private readonly Tensor[] second;
    private readonly double beta1, beta2, weightDecay;
    private int step;

    public AdamW(IReadOnlyList<Tensor> parameters, double beta1, double beta2, double weightDecay)
    {
        (this.parameters, this.beta1, this.beta2, this.weightDecay) = (parameters, beta1, beta2, weightDecay);
        first = [.. parameters.Select(parameter => zeros_like(parameter, requires_grad: false).DetachFromDisposeScope())];
        second = [.. parameters.Select(parameter => zeros_like(parameter, requires_grad: false).DetachFromDisposeScope())];
    }

    /// <summary>Steps taken.</summary>
    public int Steps => step;

    /// <summary>What goes on from step to step, by name; stays the optimiser's.</summary>
    public IEnumerable<(string Name, Tensor Value)> State
        => first.Select((moment, i) => ($"first.{i}", moment)).Concat(second.Select((moment, i) => ($"second.{i}", moment)));

    /// <summary>Goes on after as many steps, with this state.</summary>
    public void Resume(int steps, Func<string, Tensor> valueOf)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        step = steps;
        foreach (var (name, moment) in State)
        {
            moment.copy_(valueOf(name));
        }
    }

    public void ZeroGradients()
    {
        // The scope holds on to each gradient while the native call uses it; without one a collection could free it midway.
        using var scope = NewDisposeScope();
        foreach (var parameter in parameters)
        {
            parameter.grad?.zero_();
        }
    }

    /// <summary>Scales all gradients so that their joint norm is at most <paramref name="largest"/>; returns the norm before.</summary>
    public double ClipGradients(double largest)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var gradients = parameters.Select(parameter => parameter.grad).OfType<Tensor>().ToArray();
        var norm = Math.Sqrt(stack([.. gradients.Select(gradient => gradient.Squared().sum())]).sum().Value());
        if (norm > largest)
        {
            foreach (var gradient in gradients)
            {
                gradient.Scale(largest / norm);
            }
        }

        return norm;
    }

    /// <summary>One step: θ ← θ − rate · (m̂ / (√v̂ + ε) + decay · θ).</summary>
    public void Step(double rate)
    {
        using var noGradients = no_grad();
        step++;
        var (correction1, correction2) = (1 - Math.Pow(beta1, step), Math.Sqrt(1 - Math.Pow(beta2, step)));
        for (var i = 0; i < parameters.Count; i++)
        {
            using var scope = NewDisposeScope();
            if (parameters[i].grad is not { } gradient)
            {
                continue;
            }

            first[i].Scale(beta1);
            first[i].AddScaled(gradient, 1 - beta1);
            second[i].Scale(beta2);
            second[i].AddScaled(gradient.Squared(), 1 - beta2);
            var denominator = second[i].sqrt().Times(1 / correction2).Plus(Epsilon);
            parameters[i].Scale(1 - (rate * weightDecay));
            parameters[i].AddScaled(first[i] / denominator, -rate / correction1);
        }
    }

    public void Dispose()
    {
        foreach (var moment in first.Concat(second))
        {
            moment.Dispose();
        }
    }
}
