using Microsoft.ML.KagPrompt.Numerics;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.Kag;

/// <summary>
/// Steps that the projections of (1), Linear_i(x) = W x + b, would take as W (x − c) + b': the same function, and the same gradients
/// otherwise. An optimiser that scales each weight's steps by its gradients, as Adam does,
/// hardly sees how patches differ where they share a long mean c, for it is in every gradient of W.
/// </summary>
internal sealed class CentredProjections : IDisposable
{
    private readonly (Tensor Weight, Tensor Bias, Tensor Centre)[] projections;

    /// <summary>About the means of these patch tokens, [B, L, D_i] each. The prompt keeps its weights.</summary>
    public CentredProjections(GraphPrompt prompt, IReadOnlyList<Tensor> patchTokens)
    {
        using var scope = NewDisposeScope();
        projections = [.. patchTokens.Select((tokens, i) => (
            prompt.Weights[$"projection.{i}.weight"],
            prompt.Weights[$"projection.{i}.bias"],
            tokens.mean([0, 1]).DetachFromDisposeScope()))];
    }

    /// <summary>About means that were found before, which are copied.</summary>
    public CentredProjections(GraphPrompt prompt, Func<int, Tensor> centreOf)
        => projections = [.. prompt.TapWidths.Select((_, i) => (
            prompt.Weights[$"projection.{i}.weight"],
            prompt.Weights[$"projection.{i}.bias"],
            centreOf(i).clone().DetachFromDisposeScope()))];

    /// <summary>The means, layer by layer; they stay this object's.</summary>
    public IReadOnlyList<Tensor> Centres => [.. projections.Select(projection => projection.Centre)];

    /// <summary>Takes a step of the optimiser, whose gradients are there.</summary>
    public void Step(Action step)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var before = projections.Select(projection => projection.Weight.clone()).ToArray();
        foreach (var (weight, bias, centre) in projections)
        {
            if (weight.grad is { } gradient && bias.grad is { } ofBias)
            {
                gradient.AddScaled(ofBias.outer(centre), -1);       // dL/dW at fixed b' = b + W c
            }
        }

        step();
        foreach (var ((weight, bias, centre), old) in projections.Zip(before))
        {
            bias.Add(old.Minus(weight).matmul(centre));             // b = b' − W c
        }
    }

    public void Dispose()
    {
        foreach (var projection in projections)
        {
            projection.Centre.Dispose();
        }
    }
}
