using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Fitting;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Methods.Kag;

/// <summary>Trains a graph prompt on normal images and their synthetic twins (equation 17); the backbone stays frozen.</summary>
/// <param name="options">The method's choices.</param>
/// <param name="sizes">Of the backbones.</param>
/// <param name="prompt">What is trained, in place.</param>
/// <param name="encoder">The frozen backbone.</param>
/// <param name="textFeatures">F_text by class: [2, C'] each.</param>
/// <param name="pairsPerPass">Pairs whose gradients are held at once.</param>
/// <param name="startsTrained">Whether the prompt was trained before.</param>
internal sealed class GraphTrainer(KagOptions options, MethodSizes sizes, GraphPrompt prompt, FeatureEncoder encoder,
    IReadOnlyDictionary<string, torch.Tensor> textFeatures, int pairsPerPass = GraphTrainer.PairsPerPass, bool startsTrained = false)
{
    // A handful of photographs makes an epoch of one step: show them again, each time with new defects.
    private const int FewestPairsPerEpoch = 32;
    // And with few pairs, full batches would leave two steps to an epoch: the same pairs teach more in smaller ones.
    private const int FewestStepsPerEpoch = 8;
    private const int PaperBatch = 16;
    private const int PairsPerPass = 4;
    private const int MostForCentres = 8;
    private const float PaperRate = 1e-3f;
    private const float FineTuningRate = 2e-4f;

    private readonly TrainingOptions training = options.Training;
    private readonly KagVariant variant = KagVariant.For(options.Prompt.Variant);
    private readonly Func<torch.Tensor, torch.Tensor> toImage = new MapMaker(sizes.Upsampling, sizes.ImageSize)
        .Upsampler(sizes.Main.PromptGrid(sizes.ImageSize));

    /// <summary>What the backbone was measured to need; null: what the paper says.</summary>
    private TrainingPreset? Preset => sizes.Main.Presets.FirstOrDefault(preset => preset.Method == variant.HeadName);

    private float DiceWeight => training.DiceWeight ?? Preset?.DiceWeight ?? 1;

    /// <summary>Runs all epochs; leaves the prompt trained in place.</summary>
    public void Train(IReadOnlyList<ProductImage> normal, IReadOnlyDictionary<string, SynthesisOptions> synthesis, int seed,
        Action<TrainingProgress> report, CancellationToken cancellation)
    {
        var pairs = Math.Max(normal.Count, FewestPairsPerEpoch);
        var batchSize = training.BatchSize ?? Math.Min(PaperBatch, pairs / FewestStepsPerEpoch);
        var rate = training.LearningRate ?? (startsTrained ? FineTuningRate : PaperRate);
        using var checkpoint = training.CheckpointFolder is { } folder
            ? TrainingCheckpoint.Open(folder, training.CheckpointInterval, (pairs + batchSize - 1) / batchSize,
                new TrainingFingerprint(options, sizes, Preset, prompt, encoder, textFeatures, seed, batchSize, pairs, rate)
                    .With(normal, synthesis))
            : null;
        using var twins = new TwinSource(normal, synthesis, batchSize, pairs, training.Epochs, seed, cancellation, checkpoint?.Steps ?? 0);
        var steps = training.Epochs * twins.StepsPerEpoch;
        var schedule = new WarmupLinearSchedule(rate, steps);
        using var features = NormalFeatures.ForGraph(encoder, normal, (long)training.Epochs * pairs);
        Train(twins.Batches(), schedule.At, progress => report(progress with { Total = steps }), features, cancellation, checkpoint);
    }

    /// <summary>Takes one step a batch, at the rate of its number from 0; with a checkpoint, from the number it has come to.</summary>
    public void Train(IEnumerable<TwinBatch> batches, Func<int, double> rate, Action<TrainingProgress> report, NormalFeatures features,
        CancellationToken cancellation, TrainingCheckpoint? checkpoint = null)
    {
        using var optimizer = new AdamW(prompt.Parameters, beta1: 0.9, beta2: 0.95, training.WeightDecay);
        var centred = checkpoint?.Resume(prompt, optimizer);
        try
        {
            // Before the work: a folder that cannot be written shows now.
            checkpoint?.Save(prompt, optimizer, centred);
            var watch = new LossWatch();
            foreach (var batch in batches)
            {
                cancellation.ThrowIfCancellationRequested();
                centred ??= Preset is { CentreProjections: true } ? Centred(batch) : null;
                var step = optimizer.Steps;
                var progress = Step(batch, features, optimizer, centred, rate(step), watch, cancellation);
                checkpoint?.SaveIfDue(prompt, optimizer, centred);
                report(progress with { Done = step + 1, Epoch = batch.Epoch });
            }
        }
        catch (OperationCanceledException)
        {
            // The parameters are those of the last whole step; what passes of the one that was broken off moved has gone back.
            checkpoint?.Save(prompt, optimizer, centred);
            throw;
        }
        finally
        {
            centred?.Dispose();
        }
    }

    /// <summary>About what the first images show in common.</summary>
    private CentredProjections Centred(TwinBatch batch)
    {
        using var scope = torch.NewDisposeScope();
        return new CentredProjections(prompt,
            encoder.Encode([.. batch.Normal.Take(MostForCentres).Select(image => image.Square)]).PromptTokens);
    }

    /// <summary>
    /// One optimiser step. The loss is a mean over images, so its gradient is summed from passes over few of them:
    /// what a pass holds stays small.
    /// </summary>
    private TrainingProgress Step(TwinBatch batch, NormalFeatures features, AdamW optimizer, CentredProjections? centred, double rate,
        LossWatch watch, CancellationToken cancellation)
    {
        optimizer.ZeroGradients();
        var (crossEntropy, focal, dice, accuracy) = (0f, 0f, 0f, 0f);
        using var before = new MovedByPasses(prompt);
        for (var first = 0; first < batch.Normal.Length; first += pairsPerPass)
        {
            var pass = batch.Pairs(first, Math.Min(pairsPerPass, batch.Normal.Length - first));
            var share = (float)pass.Normal.Length / batch.Normal.Length;
            cancellation.ThrowIfCancellationRequested();
            var (loss, agreement) = Pass(pass, features, share, cancellation);
            crossEntropy += share * loss.CrossEntropy;
            focal += share * loss.Focal;
            dice += share * loss.Dice;
            accuracy += share * agreement;
        }

        before.Forget();
        var place = new LossWatch.Place(optimizer.Steps + 1, batch.Epoch, rate);
        watch.CheckLoss((crossEntropy, focal, dice), place);
        if (centred is null)
        {
            Update();
        }
        else
        {
            centred.Step(Update);
        }

        return new TrainingProgress("training", 0, 0) { Loss = (crossEntropy, focal, dice), PixelAccuracy = accuracy };

        void Update()
        {
            LossWatch.CheckGradients(optimizer.ClipGradients(training.GradientClip), place);
            optimizer.Step(rate);
        }
    }

    /// <summary>Adds the gradient of the share of the loss that these pairs have.</summary>
    private ((float CrossEntropy, float Focal, float Dice) Loss, float Agreement) Pass(TwinBatch batch, NormalFeatures features,
        float share, CancellationToken cancellation)
    {
        using var scope = torch.NewDisposeScope();
        var seen = features.Encode(batch);
        cancellation.ThrowIfCancellationRequested();
        var (masks, labels) = Targets(batch);
        var text = torch.stack([.. batch.Normal.Concat(batch.Normal).Select(image => textFeatures[image.ClassName])]);   // [2B, 2, C']

        var nodes = prompt.Nodes(seen[..^1], training: true);           // [M, 2B, L, C']
        var maps = PromptMap.PerLayer(nodes, text, variant, toImage);   // [M, 2B, S, S]
        var similarities = prompt.ImageSimilarities(seen[^1], text); // [2B, 2]
        var loss = variant.Loss(similarities, maps, masks, labels, training.FocalWeight, DiceWeight);
        loss.Total.Times(share).backward();

        using var noGradients = torch.no_grad();
        var agreement = maps.mean([0]).IsAbove(0.5).eq(masks.IsAbove(0.5)).to_type(torch.ScalarType.Float32).mean();
        return ((loss.CrossEntropy.Value(), loss.Focal.Value(), loss.Dice.Value()), agreement.Value());
    }

    /// <summary>G: [2B, S, S], empty for the normal half; c: [2B].</summary>
    private (torch.Tensor Masks, torch.Tensor Labels) Targets(TwinBatch batch)
    {
        var (count, side) = (batch.Normal.Length, encoder.ImageSize);
        var masks = new float[2 * count * side * side];
        var labels = new long[2 * count];
        for (var i = 0; i < count; i++)
        {
            var target = masks.AsSpan((count + i) * side * side, side * side);
            var mask = batch.Twins[i].Mask;
            for (var p = 0; p < target.Length; p++)
            {
                target[p] = mask[p] ? 1f : 0f;
            }

            labels[count + i] = batch.Twins[i].HasDefect ? 1 : 0;
        }

        return (torch.tensor(masks, [2 * count, side, side], device: encoder.Device), torch.tensor(labels, device: encoder.Device));
    }
}
