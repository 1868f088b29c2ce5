using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Training;
using Microsoft.ML.KagPrompt.Backbones.Compact;
using Microsoft.ML.KagPrompt.Checkpoints;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.KagPrompt.Pretraining;

/// <summary>Teaches the compact trunk to give the teacher's four maps, on rendered pictures alone.</summary>
internal sealed class Distillation(CompactVisionConfig config, Teacher teacher, int seed)
{
    private const int CropSize = 112;
    private const int Batch = 32;
    private const double PeakRate = 1.5e-3;

    /// <summary>Trains for a time; reports and offers snapshots now and then. Returns the weights, which the caller owns.</summary>
    public WeightSet Train(RenderPool pool, TimeSpan time, Action<string> report, Action<WeightSet> snapshot, WeightSet? resumed = null)
    {
        var random = new Random(seed);
        var (means, deviations) = TeacherStatistics(pool, random);
        var weights = resumed ?? Initial(means, deviations);
        var tower = new CompactVisionTower(config, weights);
        var trained = weights.ByName.Where(entry => !entry.Key.StartsWith("embed.", StringComparison.Ordinal)).Select(entry => entry.Value).ToArray();
        foreach (var tensor in trained)
        {
            tensor.requires_grad_(true);
        }

        using var optimizer = new AdamW(trained, beta1: 0.9, beta2: 0.95, weightDecay: 0.01);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var (step, smoothed) = (0, new double[4]);
        while (clock.Elapsed < time)
        {
            using var scope = NewDisposeScope();
            var progress = clock.Elapsed / time;
            var rate = PeakRate * Math.Min(1, (step + 1) / 200.0) * 0.5 * (1 + Math.Cos(Math.PI * progress));
            var images = pool.Crops(Batch, CropSize, random);
            var targets = teacher.Forward(images);
            var maps = tower.Trunk(images);
            var losses = maps.Select((map, i) => Loss(tower.Tap(i, map), targets[i].flatten(2).transpose(1, 2), means[i], deviations[i])).ToArray();
            var loss = losses[0].Plus(losses[1]).Plus(losses[2]).Plus(losses[3]);
            optimizer.ZeroGradients();
            loss.backward();
            optimizer.ClipGradients(5);
            optimizer.Step(rate);
            for (var i = 0; i < 4; i++)
            {
                smoothed[i] = step == 0 ? losses[i].Value() : (0.98 * smoothed[i]) + (0.02 * losses[i].Value());
            }

            if (++step % 500 == 0)
            {
                snapshot(weights);
            }

            if (step % 100 == 0)
            {
                report(FormattableString.Invariant($"step {step}, {clock.Elapsed.TotalSeconds:0} s, {pool.Painted} pictures, unexplained variance by tap: {string.Join(", ", smoothed.Select(value => value.ToString("0.000", System.Globalization.CultureInfo.InvariantCulture)))}"));
            }
        }

        foreach (var tensor in weights.ByName.Values)
        {
            tensor.requires_grad_(false);
        }

        return weights;
    }

    /// <summary>Mean squared error in units of each teacher channel's variance, plus the cosine the memory bank will use.</summary>
    private static Tensor Loss(Tensor prediction, Tensor target, Tensor mean, Tensor deviation)
    {
        var error = (prediction.Minus(target) / deviation).Squared().mean();
        var cosine = (prediction.Minus(mean).UnitLength(-1) * target.Minus(mean).UnitLength(-1)).sum(-1).mean().Complement();
        return error.Plus(cosine);
    }

    private (Tensor[] Means, Tensor[] Deviations) TeacherStatistics(RenderPool pool, Random random)
    {
        using var scope = NewDisposeScope();
        var maps = teacher.Forward(pool.Crops(256, CropSize, random));
        return ([.. maps.Select(map => map.mean([0, 2, 3]).DetachFromDisposeScope())], [.. maps.Select(map => map.transpose(0, 1).flatten(1).std(1).AtLeast(1e-3).DetachFromDisposeScope())]);
    }

    /// <summary>He's scale, second convolutions of residual blocks zero (each block begins as the identity), taps around the teacher's mean.</summary>
    private WeightSet Initial(Tensor[] means, Tensor[] deviations)
    {
        using var generator = new Generator((ulong)seed, CPU);
        var tensors = new Dictionary<string, Tensor>();
        foreach (var (name, shape) in CompactVisionTower.Shapes(config))
        {
            var fanIn = shape.Length > 1 ? shape[1..].Aggregate(1L, (product, size) => product * size) : 1;
            var value = name switch
            {
                _ when name.StartsWith("taps.", StringComparison.Ordinal) => Tap(name, shape, fanIn, generator, means, deviations),
                _ when name.EndsWith(".bias", StringComparison.Ordinal) || name.EndsWith("conv2.weight", StringComparison.Ordinal) => zeros(shape),
                _ => randn(shape, generator: generator).Times(Math.Sqrt(2.0 / fanIn)),
            };
            tensors.Add(name, value.DetachFromDisposeScope());
        }

        return new WeightSet(tensors);
    }

    private static Tensor Tap(string name, long[] shape, long fanIn, Generator generator, Tensor[] means, Tensor[] deviations)
    {
        var stage = int.Parse(name.Split('.')[1], System.Globalization.CultureInfo.InvariantCulture);
        return name.EndsWith(".bias", StringComparison.Ordinal) ? means[stage].clone()
            : randn(shape, generator: generator).Times(0.3 / Math.Sqrt(fanIn)) * deviations[stage].unsqueeze(1);
    }
}
