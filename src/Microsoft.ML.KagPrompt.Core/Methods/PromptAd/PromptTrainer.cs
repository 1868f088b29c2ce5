using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Numerics;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.PromptAd;

/// <summary>Trains the learned words of a class's prompts on features of its supports, all of them in each step.</summary>
internal sealed class PromptTrainer(PromptAdOptions options)
{
    private const double LastRate = 1e-5;

    /// <summary>The rate of a step, counted from 0: from the first one down a quarter wave to the last.</summary>
    public double Rate(int step) => LastRate + ((options.LearningRate - LastRate) * (1 + Math.Cos(Math.PI * step / options.Epochs)) / 2);

    /// <summary>Takes all steps in place; says the losses of each before it is taken.</summary>
    /// <param name="prompts">What is trained.</param>
    /// <param name="features">Of the supports: [k, C'] or [k, L, C'], at unit length.</param>
    /// <param name="scale">The logit scale as stored.</param>
    /// <param name="report">Told of every step, its losses' gradients in place.</param>
    /// <param name="cancellation">Stops between steps.</param>
    public void Train(LearnedPrompts prompts, Tensor features, double scale, Action<int, PromptLosses> report,
        CancellationToken cancellation)
    {
        using var descent = new MomentumDescent([prompts.NormalWords, prompts.AbnormalWords], options.Momentum, options.WeightDecay);
        for (var step = 0; step < options.Epochs; step++)
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            descent.ZeroGradients();
            var losses = PromptLosses.Compute(features, prompts.Features(), scale, options.AlignmentWeight);
            losses.Total.backward();
            // Words that became NaN stay so: every later step, and every score, would be too.
            if (!float.IsFinite(losses.Total.Value()))
            {
                throw new NotFiniteException(FormattableString.Invariant($"Training of PromptAD's prompts stopped at step {step + 1}: ")
                    + FormattableString.Invariant($"the loss is no longer a finite number at a learning rate of {Rate(step):g4}. ")
                    + "Lower LearningRate, and look whether an image or a weight is extreme.");
            }

            report(step, losses);
            descent.Step(Rate(step));
        }
    }
}
