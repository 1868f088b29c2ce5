using TorchSharp;

namespace Microsoft.ML.KagPrompt.Benchmarks.Bars;

/// <summary>What the machine can do at best, in the minute it is asked: the figures beside all others.</summary>
internal static class Hardware
{
    private const long Side = 2048;

    /// <summary>Operations a second of a matrix product, a multiplication and an addition counted apart.</summary>
    public static double MatmulRate(torch.ScalarType type, torch.Device? device = null, long side = Side)
    {
        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        var (a, b) = (torch.randn(side, side).to(type, device ?? torch.CPU), torch.randn(side, side).to(type, device ?? torch.CPU));
        return 2.0 * side * side * side / Timing.Median(() => a.matmul(b).Dispose(), rounds: 7);
    }

    /// <summary>Bytes read and written a second by a copy of far more than the caches hold.</summary>
    public static double CopyRate(torch.Device? device = null)
    {
        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        var (from, to) = (torch.ones(64L << 20, device: device), torch.zeros(64L << 20, device: device));
        return 2.0 * 4 * (64L << 20) / Timing.Median(() => to.copy_(from), rounds: 7);
    }
}
