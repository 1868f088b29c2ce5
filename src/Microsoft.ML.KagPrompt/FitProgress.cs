using Microsoft.ML.Runtime;

namespace Microsoft.ML.KagPrompt;

/// <summary>
/// Passes a fit's progress to the MLContext's log, once an epoch, and to the user's own listener; stops the fit when execution is
/// cancelled.
/// </summary>
internal sealed class FitProgress(IHost host, IChannel channel, IProgress<TrainingProgress>? listener) : IProgress<TrainingProgress>
{
    private string phase = "";
    private TrainingProgress? last;

    public void Report(TrainingProgress value)
    {
        host.CheckAlive();
        if (last is { Epoch: > 0 } && (value.Epoch != last.Epoch || value.Done == value.Total))
        {
            var shown = value.Epoch == last.Epoch ? value : last;
            var loss = FormattableString.Invariant(
                $"cross-entropy {shown.Loss.CrossEntropy:0.000}, focal {shown.Loss.Focal:0.000}, dice {shown.Loss.Dice:0.000}");
            channel.Info(FormattableString.Invariant(
                $"Epoch {shown.Epoch}: {loss}, pixels {shown.PixelAccuracy:P1} right, {shown.Seconds:0} s."));
        }

        if (value.Phase != phase)
        {
            phase = value.Phase;
            channel.Trace($"Phase: {phase}.");
        }

        last = value;
        listener?.Report(value);
    }
}
