using TorchSharp;

namespace Microsoft.ML.KagPrompt.Methods.Kag;

/// <summary>
/// What the passes of a step move without the optimiser, running statistics: as they were before the step, and put back where it is broken
/// off. Owns its copies.
/// </summary>
internal sealed class MovedByPasses : IDisposable
{
    private (torch.Tensor Live, torch.Tensor Before)[] kept;

    public MovedByPasses(GraphPrompt prompt)
    {
        using var noGradients = torch.no_grad();
        // By reference: tensors are equal where their values are.
        kept = [.. prompt.Weights.Values.Where(weight => !prompt.Parameters.Any(trained => ReferenceEquals(trained, weight)))
            .Select(weight => (weight, weight.clone().DetachFromDisposeScope()))];
    }

    /// <summary>The step is whole: what moved stays.</summary>
    public void Forget()
    {
        foreach (var (_, before) in kept)
        {
            before.Dispose();
        }

        kept = [];
    }

    public void Dispose()
    {
        using var noGradients = torch.no_grad();
        foreach (var (live, before) in kept)
        {
            live.copy_(before);
        }

        Forget();
    }
}
