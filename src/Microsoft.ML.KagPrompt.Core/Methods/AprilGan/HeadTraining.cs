using Microsoft.ML.KagPrompt.Methods.Kag;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Methods.AprilGan;

/// <summary>
/// Trains linear heads on normal images and their synthetic twins; the backbone stays frozen. The authors train on the labelled test images
/// of another data set, which users have not.
/// </summary>
/// <param name="options">The choices.</param>
/// <param name="heads">What is trained, in place.</param>
/// <param name="toImage">Of each layer, its patches to S × S.</param>
internal sealed class HeadTraining(HeadTrainingOptions options, LinearHeads heads, IReadOnlyList<Func<torch.Tensor, torch.Tensor>> toImage)
{
    // A handful of photographs makes an epoch of one step: show them again, each time with new defects.
    private const int FewestPairsPerEpoch = 32;

    // Pairs whose gradients are held at once.
    private const int PairsPerPass = 4;

    /// <summary>Runs all epochs; leaves the heads trained in place.</summary>
    public void Run(TrainingRun run, int epochs)
    {
        var pairs = Math.Max(run.Normal.Count, FewestPairsPerEpoch);
        using var twins = new TwinSource(run.Normal, run.Synthesis, options.BatchSize, pairs, epochs, run.Seed, run.Cancellation);
        using var features = NormalFeatures.ForHeads(run.Encoder, run.Normal, (long)epochs * pairs);
        using var trainer = new HeadTrainer(heads, toImage);
        var (step, steps) = (0, epochs * twins.StepsPerEpoch);
        foreach (var batch in twins.Batches())
        {
            run.Cancellation.ThrowIfCancellationRequested();
            var progress = Step(batch, features, trainer, run);
            if (!float.IsFinite(progress.Loss.Focal + progress.Loss.Dice))
            {
                throw new NotFiniteException(FormattableString.Invariant(
                    $"Training stopped at step {step + 1} (epoch {batch.Epoch}): the loss is no longer a finite number ")
                    + FormattableString.Invariant($"(focal {progress.Loss.Focal}, dice {progress.Loss.Dice}) ")
                    + FormattableString.Invariant($"at a learning rate of {options.LearningRate:g4}. ")
                    + "Lower Training.LearningRate, and look whether an image or a weight is extreme.");
            }

            run.Report(progress with { Done = ++step, Total = steps, Epoch = batch.Epoch });
        }
    }

    /// <summary>One step. The losses are means over images, so their gradient is summed from passes over few of them.</summary>
    private TrainingProgress Step(TwinBatch batch, NormalFeatures features, HeadTrainer trainer, TrainingRun run)
    {
        var (focal, dice, accuracy) = (0f, 0f, 0f);
        for (var first = 0; first < batch.Normal.Length; first += PairsPerPass)
        {
            var pass = batch.Pairs(first, Math.Min(PairsPerPass, batch.Normal.Length - first));
            var share = (float)pass.Normal.Length / batch.Normal.Length;
            var (loss, agreement) = Pass(pass, features, share, trainer, run);
            focal += share * loss.Focal;
            dice += share * loss.Dice;
            accuracy += share * agreement;
        }

        trainer.Update(options.LearningRate);
        return new TrainingProgress("training", 0, 0) { Loss = (0, focal, dice), PixelAccuracy = accuracy };
    }

    /// <summary>Adds the gradient of the share of the losses that these pairs have.</summary>
    private static ((float Focal, float Dice) Loss, float Agreement) Pass(
        TwinBatch batch, NormalFeatures features, float share, HeadTrainer trainer, TrainingRun run)
    {
        using var scope = torch.NewDisposeScope();
        var seen = features.Encode(batch);
        var masks = Masks(batch, run.Encoder.ImageSize, run.Encoder.Device);
        var names = batch.Normal.Concat(batch.Normal).Select(image => image.ClassName);
        var texts = torch.stack([.. names.Select(name => run.TextFeatures[name])]);                     // [2B, 2, C']
        var losses = trainer.Losses(seen, texts, masks);
        losses.Total.Times(share).backward();

        using var noGradients = torch.no_grad();
        var map = AprilGanMaps.Sum(losses.Maps).Times(1.0 / losses.Maps.Count);
        var agreement = map.IsAbove(0.5).eq(masks.IsAbove(0.5)).to_type(torch.ScalarType.Float32).mean();
        return ((losses.Focal.Sum(value => value.Value()), losses.Dice.Sum(value => value.Value())), agreement.Value());
    }

    /// <summary>[2B, S, S], empty for the normal half.</summary>
    internal static torch.Tensor Masks(TwinBatch batch, int side, torch.Device device)
    {
        var count = batch.Normal.Length;
        var masks = new float[2 * count * side * side];
        for (var i = 0; i < count; i++)
        {
            foreach (var (pixel, _) in batch.Twins[i].Mask.Index().Where(entry => entry.Item))
            {
                masks[((count + i) * side * side) + pixel] = 1;
            }
        }

        return torch.tensor(masks, [2 * count, side, side], device: device);
    }
}
