using Microsoft.ML.KagPrompt.Backbones.Compact;
using Microsoft.ML.KagPrompt.Backbones.Vit;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Numerics;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.KagPrompt.Pretraining;

/// <summary>Teaches the compact trunk to give the teacher's four maps, on rendered pictures alone.</summary>
/// <param name="config">Of the trunk.</param>
/// <param name="teacher">On the device.</param>
/// <param name="peakRate">Learning rate at its highest.</param>
/// <param name="pictures">By which the teacher's features are known: means, deviations, whitening.</param>
/// <param name="seed">Of everything random.</param>
/// <param name="device">Where it trains.</param>
internal sealed class Distillation(CompactVisionConfig config, Teacher teacher, double peakRate, int pictures, int seed, Device device)
{
    // Covariance is shrunk by this share of its mean before it is inverted: directions that hardly vary must not drown the rest.
    private const double Shrinkage = 0.1;

    // What the teacher sees is an image of less contrast about light grey: its features then differ less by how strong a texture is, and more by which it is.
    private const double TeacherContrast = 0.35;
    private const double TeacherLift = 0.5;

    /// <summary>Small crops are many different pictures; whole ones are what inspection will see. They take turns, at the same cost.</summary>
    private static readonly (int Count, int Size)[] Batches = [(32, 112), (8, 224)];

    /// <summary>Trains for a time, on the device, where the teacher must be; reports and offers snapshots now and then. Returns the weights, which the caller owns.</summary>
    public WeightSet Train(RenderPool pool, TimeSpan time, Action<string> report, Action<WeightSet> snapshot, WeightSet? resumed = null)
    {
        var random = new Random(seed);
        var (deviations, whitenings) = TeacherStatistics(pool, random);
        var weights = resumed ?? Initial([.. whitenings.Select(whitening => whitening.Mean)], deviations);
        weights.MoveTo(device);
        var tower = new CompactVisionTower(config, weights);
        var trained = weights.ByName.Where(entry => !entry.Key.StartsWith("embed.", StringComparison.Ordinal)).Select(entry => entry.Value).ToArray();
        foreach (var tensor in trained)
        {
            tensor.requires_grad_(true);
        }

        // The stem's few inputs and the taps are no kernels to make orthogonal.
        static bool IsKernel(Tensor tensor) => tensor.shape is [_, > 3, _, _];
        using var muon = new Muon([.. trained.Where(IsKernel)], momentum: 0.95, weightDecay: 0.01);
        using var optimizer = new AdamW([.. trained.Where(tensor => !IsKernel(tensor))], beta1: 0.9, beta2: 0.95, weightDecay: 0.01);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var (step, smoothed) = (0, new double[4]);
        while (clock.Elapsed < time)
        {
            using var scope = NewDisposeScope();
            var progress = clock.Elapsed / time;
            var rate = peakRate * Math.Min(1, (step + 1) / 200.0) * 0.5 * (1 + Math.Cos(Math.PI * progress));
            var (count, size) = Batches[step % Batches.Length];
            var images = pool.Crops(count, size, random).to(device);
            var targets = Targets(images);
            var maps = tower.Trunk(images);
            var losses = maps.Select((map, i) => Loss(tower.Tap(i, map), targets[i].flatten(2).transpose(1, 2), deviations[i], whitenings[i])).ToArray();
            var loss = losses.Select(parts => parts.Error.Plus(parts.Cosine)).Aggregate((sum, part) => sum.Plus(part));
            foreach (var tensor in trained)
            {
                tensor.grad?.zero_();
            }

            loss.backward();
            optimizer.ClipGradients(5);
            optimizer.Step(rate);
            muon.Step(rate);
            for (var i = 0; i < 4; i++)
            {
                smoothed[i] = step == 0 ? losses[i].Error.Value() : (0.98 * smoothed[i]) + (0.02 * losses[i].Error.Value());
            }

            if (++step % 100 == 0)
            {
                snapshot(weights);
            }

            if (step % 50 == 0)
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

    /// <summary>Mean squared error in units of each teacher channel's variance, and the cosine distances that a memory bank would use: of centred and of whitened features.</summary>
    private static (Tensor Error, Tensor Cosine) Loss(Tensor prediction, Tensor target, Tensor deviation, Whitening whitening)
    {
        var error = (prediction.Minus(target) / deviation).Squared().mean();
        var centred = Cosine(prediction.Minus(whitening.Mean), target.Minus(whitening.Mean));
        return (error, centred.Plus(Cosine(whitening.Apply(prediction), whitening.Apply(target))).Times(0.5));
    }

    private static Tensor Cosine(Tensor a, Tensor b) => (a.UnitLength(-1) * b.UnitLength(-1)).sum(-1).mean().Complement();

    private IReadOnlyList<Tensor> Targets(Tensor images) => teacher.Forward(images.Times(TeacherContrast).Plus(TeacherLift));

    private (Tensor[] Deviations, Whitening[] Whitenings) TeacherStatistics(RenderPool pool, Random random)
    {
        using var scope = NewDisposeScope();
        var tokens = Targets(pool.Crops(pictures, 224, random).to(device)).Select(map => map.transpose(0, 1).flatten(1).t()).ToArray();      // [N, C]
        return ([.. tokens.Select(layer => layer.std(0).AtLeast(1e-3).DetachFromDisposeScope())], [.. tokens.Select(layer => Whitening.Learn(layer, Shrinkage))]);
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
        return name.EndsWith(".bias", StringComparison.Ordinal) ? means[stage].cpu().clone()
            : randn(shape, generator: generator).Times(0.3 / Math.Sqrt(fanIn)) * deviations[stage].cpu().unsqueeze(1);
    }
}
