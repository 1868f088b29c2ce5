namespace Microsoft.ML.KagPrompt.Methods.Common;

/// <summary>Learning rate by step: linear from 0 over the first tenth of the steps, then linear to 0 at the end.</summary>
internal sealed class WarmupLinearSchedule(double peak, int steps)
{
    private readonly int warmup = Math.Max(1, (int)Math.Ceiling(0.1 * steps));

    /// <summary>The rate of a step, counted from 0.</summary>
    public double At(int step)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        return step < warmup ? peak * (step + 1) / warmup
            : peak * Math.Max(0, steps - step) / Math.Max(1, steps - warmup);
    }
}
