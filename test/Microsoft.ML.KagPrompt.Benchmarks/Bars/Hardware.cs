using TorchSharp;

namespace Microsoft.ML.KagPrompt.Benchmarks.Bars;

/// <summary>What the machine can do at best, in the minute it is asked: the figures beside all others.</summary>
internal static class Hardware
{
    private const long Side = 2048;

    /// <summary>Operations a second of a matrix product, a multiplication and an addition counted apart.</summary>
    public static double MatmulRate(torch.ScalarType type)
    {
        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        var (a, b) = (torch.randn(Side, Side).to(type), torch.randn(Side, Side).to(type));
        return 2.0 * Side * Side * Side / Timing.Median(() => a.matmul(b).Dispose(), rounds: 7);
    }

    /// <summary>Bytes read and written a second by a copy of far more than the caches hold.</summary>
    public static double CopyRate()
    {
        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        var (from, to) = (torch.ones(64L << 20), torch.zeros(64L << 20));
        return 2.0 * 4 * (64L << 20) / Timing.Median(() => to.copy_(from), rounds: 7);
    }
}
