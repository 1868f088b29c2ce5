using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt.Methods.Kag;

/// <summary>
/// Stops a training that has left the ground before its step is taken: parameters that became NaN stay so, and every later step and
/// every score would be too.
/// </summary>
internal sealed class LossWatch
{
    // Losses of this equation are a few units, from the first step on; one that is so far above the lowest seen comes back no more.
    private const float MostGrowth = 100;

    private float lowest = float.PositiveInfinity;

    /// <summary>Where training stands.</summary>
    internal readonly record struct Place(int Step, int Epoch, double Rate);

    /// <exception cref="NotFiniteException">The loss is no finite number, or has exploded.</exception>
    public void CheckLoss((float CrossEntropy, float Focal, float Dice) loss, Place place)
    {
        var total = loss.CrossEntropy + loss.Focal + loss.Dice;
        if (!float.IsFinite(total))
        {
            throw Stopped(place, $"the loss is no longer a finite number ({Shown(loss)})");
        }

        lowest = Math.Min(lowest, total);
        if (total > MostGrowth * Math.Max(1, lowest))
        {
            throw Stopped(place, FormattableString.Invariant($"the loss has exploded from {lowest:g4} to {total:g4} ({Shown(loss)})"));
        }
    }

    /// <exception cref="NotFiniteException">The gradients are no finite numbers.</exception>
    public static void CheckGradients(double norm, Place place)
    {
        if (!double.IsFinite(norm))
        {
            throw Stopped(place, "the gradients are no longer finite numbers");
        }
    }

    private static string Shown((float CrossEntropy, float Focal, float Dice) loss)
        => FormattableString.Invariant($"cross-entropy {loss.CrossEntropy}, focal {loss.Focal}, dice {loss.Dice}");

    private static NotFiniteException Stopped(Place place, string what)
        => new(FormattableString.Invariant($"Training stopped at step {place.Step} (epoch {place.Epoch}): ") + what
            + FormattableString.Invariant($" at a learning rate of {place.Rate:g4}. ")
            + "Lower LearningRate or GradientClip, and look whether an image or a weight is extreme.");
}
