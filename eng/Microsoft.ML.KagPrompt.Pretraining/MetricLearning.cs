using Microsoft.ML.KagPrompt.Backbones.Compact;
using Microsoft.ML.KagPrompt.Backbones.Vit;
using Microsoft.ML.KagPrompt.Metrics;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.KagPrompt.Pretraining;

/// <summary>
/// Learns what of the trunk's maps the taps should show, for the memory bank: across rendered products, each with one to four supports, defective patches shall lie farther from the bank than sound ones, and the farthest
/// patches of a defective piece farther than those of a sound one. Distances are (13)'s before upsampling. The trunk stays as it is. Of the way that the taps went, only a share is kept: rendered defects are not real ones,
/// and between the weights before and after lie those that serve both (Wortsman et al. 2022).
/// </summary>
/// <param name="products">How many are rendered; the last of them are held out.</param>
/// <param name="steps">Of the optimiser, six products each.</param>
/// <param name="share">Of the way, 0..1.</param>
/// <param name="shrink">Afterwards each tap's mean is lengthened until sound pieces lie this many times nearer the bank: what all features share counts for more, as the square of plain distances counts in the limit.</param>
/// <param name="seed">Of products, pairs and steps.</param>
/// <param name="device">Where to learn.</param>
/// <param name="report">Told what happens.</param>
internal sealed class MetricLearning(int products, int steps, double share, double shrink, int seed, Device device, Action<string> report)
{
    private const double PeakRate = 1e-3;
    private const int WarmUp = 30;
    private const int ProductsPerStep = 6;
    private const int SoundPatches = 400;
    private const int FarthestPatches = 3;
    private const double HeldOutShare = 0.15;
    private const int ProductsForMeans = 40;
    private const double MostLengthening = 20;

    // Of a patch, what a defect must cover to count; patches covered less are neither sound nor defective.
    private const double LeastCoverage = 0.5;

    // Of the logarithm of two distances' ratio: pairs that far apart count as won.
    private const double Temperature = 0.3;

    // Biases may move this many times as fast as weights.
    private const double BiasReach = 3;

    private readonly Random random = new(seed);

    /// <summary>Reads a finished backbone and writes one that differs in its taps alone; a graph prompt made for the first is carried over to the second.</summary>
    public void Run(string input, string output, string? prompt, string? carried)
    {
        using var scope = NewDisposeScope();
        var files = new ShippedFiles(input);
        using var tower = files.Vision();
        tower.MoveTo(device);
        var episodes = new List<Episode>(products);
        for (var i = 0; i < products; i++)
        {
            episodes.Add(Episode.Render(tower, unchecked((seed * 7_000_003) + i), device));
            if ((i + 1) % 50 == 0)
            {
                report($"{i + 1} products rendered");
            }
        }

        var heldOut = Math.Max(1, (int)(products * HeldOutShare));
        var before = Enumerable.Range(0, tower.Info.TapWidths.Count).Select(stage => new LearntTap(tower, stage)).ToArray();
        var taps = Enumerable.Range(0, tower.Info.TapWidths.Count).Select(stage => new LearntTap(tower, stage)).ToArray();
        report($"before: {HeldOut(taps, episodes.TakeLast(heldOut))}");
        Train(taps, episodes.SkipLast(heldOut).ToArray());
        report($"learnt: {HeldOut(taps, episodes.TakeLast(heldOut))}");
        using var noGradients = no_grad();
        foreach (var tap in taps)
        {
            tap.Keep(share);
        }

        report($"kept: {HeldOut(taps, episodes.TakeLast(heldOut))}");
        foreach (var stage in Enumerable.Range(0, shrink == 1 ? 0 : taps.Length))
        {
            Lengthen(taps[stage], [.. episodes.Take(ProductsForMeans).Select(episode => episode.Maps[stage].to(ScalarType.Float32))]);
        }

        report($"shrunk: {HeldOut(taps, episodes.TakeLast(heldOut))}");
        files.WriteChanged(output, taps.SelectMany((tap, stage) => new[] { ($"vision.taps.{stage}.weight", tap.Weight()), ($"vision.taps.{stage}.bias", tap.Bias()) }).ToDictionary());
        if (prompt is not null && carried is not null)
        {
            var maps = Enumerable.Range(0, taps.Length).Select(stage => cat([.. episodes.Select(episode => episode.Maps[stage].narrow(0, 0, 1).flatten(0, 1))], 0).to(ScalarType.Float32));
            PromptCarrying.Run(tower.Info, prompt, carried, [.. maps.Select((map, stage) => (Old: before[stage].Apply(map), New: taps[stage].Apply(map)))], report);
        }

        episodes.ForEach(episode => episode.Dispose());
    }

    /// <summary>Multiplies the mean of what the tap shows of the products by what brings sound pieces nearer the bank by the factor asked for.</summary>
    private void Lengthen(LearntTap tap, IReadOnlyList<Tensor> products)
    {
        using var scope = NewDisposeScope();
        var features = products.Select(tap.Apply).ToArray();
        var mean = stack(features).mean([0, 1, 2]);
        var aim = Distance(1) / shrink;
        var (low, high) = (0.0, MostLengthening);
        for (var halving = 0; halving < 20; halving++)
        {
            var middle = (low + high) / 2;
            (low, high) = Distance(middle) > aim ? (middle, high) : (low, middle);
        }

        tap.Shift(mean.Times(high - 1));
        report(FormattableString.Invariant($"mean times {high:0.00}: sound pieces at {aim:0.0000}, {aim * shrink:0.0000} before"));

        // Of sound pieces from the bank, by two supports.
        double Distance(double factor) => features.Average(tokens =>
        {
            using var inner = NewDisposeScope();
            var unit = tokens.Plus(mean.Times(factor - 1)).UnitLength(-1);
            return (double)unit.narrow(0, Episode.Supports, Episode.Sound).flatten(0, 1).matmul(unit.narrow(0, 0, 2).flatten(0, 1).t()).amax([1]).mean().Complement().Value();
        });
    }

    private void Train(LearntTap[] taps, Episode[] episodes)
    {
        var parameters = taps.SelectMany(tap => tap.Parameters).ToArray();
        using var optimizer = optim.Adam(parameters, PeakRate, beta1: 0.9, beta2: 0.95);
        var average = 0.0;
        for (var step = 0; step < steps; step++)
        {
            using var scope = NewDisposeScope();
            foreach (var group in optimizer.ParamGroups)
            {
                group.LearningRate = PeakRate * Math.Min(1, (step + 1.0) / WarmUp) * (1 - ((double)step / steps));
            }

            var losses = Enumerable.Range(0, ProductsPerStep).Select(_ => Loss(taps, episodes[random.Next(episodes.Length)])).OfType<Tensor>().ToArray();
            if (losses.Length == 0)
            {
                continue;
            }

            var loss = stack(losses).mean();
            loss.backward();
            nn.utils.clip_grad_norm_(parameters, 1);
            optimizer.step();
            optimizer.zero_grad();
            average += (step == 0 ? 1 : 0.05) * (loss.Value() - average);
            if ((step + 1) % 10 == 0)
            {
                report(FormattableString.Invariant($"step {step + 1}: loss {average:0.0000}"));
            }
        }
    }

    /// <summary>Mean over the defective pieces of the softplus of log distance ratios: patches against patches, farthest against farthest. Null if NSA and all drawn defects left nothing to see.</summary>
    private Tensor? Loss(LearntTap[] taps, Episode episode)
    {
        var distances = Distances(taps, episode, 1 << random.Next(3)).log();                                    // [N, L]
        var sound = distances.masked_select(episode.Coverage.eq(0));
        var picked = tensor(Enumerable.Range(0, SoundPatches).Select(_ => random.NextInt64(sound.shape[0])).ToArray(), device: device);
        sound = sound.index_select(0, picked).unsqueeze(0);
        var soundTops = Tops(distances.narrow(0, 0, Episode.Sound));
        var losses = new List<Tensor>();
        for (var piece = Episode.Sound; piece < Episode.Sound + Episode.Defective; piece++)
        {
            var defective = distances[piece].masked_select(episode.Coverage[piece].IsAbove(LeastCoverage));
            if (defective.shape[0] > 0)
            {
                losses.Add(Lost(sound, defective.unsqueeze(1)).Plus(Lost(soundTops, Tops(distances.narrow(0, piece, 1)))));
            }
        }

        return losses.Count == 0 ? null : stack(losses).mean();
    }

    private static Tensor Tops(Tensor distances) => distances.topk(FarthestPatches, dim: 1).values.mean([1]);

    private static Tensor Lost(Tensor sound, Tensor defective) => functional.softplus(sound.Minus(defective).Times(1 / Temperature)).mean().Times(Temperature);

    /// <summary>(13) on the patch grid, of the sound and the defective pieces, from the first of the supports: [N, L].</summary>
    internal static Tensor Distances(LearntTap[] taps, Episode episode, int supports)
    {
        Tensor? sum = null;
        for (var stage = 0; stage < taps.Length; stage++)
        {
            var unit = taps[stage].Apply(episode.Maps[stage].to(ScalarType.Float32)).UnitLength(-1);                // [N, L, D]
            var bank = unit.narrow(0, 0, supports).flatten(0, 1);
            var nearest = unit.narrow(0, Episode.Supports, Episode.Sound + Episode.Defective).matmul(bank.t()).amax([2]);
            sum = sum is null ? nearest : sum.Plus(nearest);
        }

        return sum!.Times(1.0 / taps.Length).Complement().AtLeast(1e-4);
    }

    /// <summary>AUROC of patches and of pieces, mean over products that the taps do not learn from, by two supports.</summary>
    private static string HeldOut(LearntTap[] taps, IEnumerable<Episode> episodes)
    {
        using var noGradients = no_grad();
        var (patches, pieces) = (new List<double>(), new List<double>());
        foreach (var episode in episodes)
        {
            using var scope = NewDisposeScope();
            var distances = Distances(taps, episode, 2).cpu();
            var (values, coverage) = (distances.data<float>().ToArray(), episode.Coverage.cpu().data<float>().ToArray());
            var clear = Enumerable.Range(0, values.Length).Where(i => coverage[i] is 0 or > (float)LeastCoverage).ToArray();
            if (clear.Any(i => coverage[i] > 0))
            {
                patches.Add(RocMetrics.Auroc([.. clear.Select(i => values[i])], [.. clear.Select(i => coverage[i] > 0)]));
                pieces.Add(RocMetrics.Auroc(Tops(distances).data<float>().ToArray(), [.. Enumerable.Range(0, Episode.Sound + Episode.Defective).Select(i => i >= Episode.Sound)]));
            }
        }

        return FormattableString.Invariant($"{patches.Count} products held out, AUROC of pieces {100 * pieces.Average():0.0}, of patches {100 * patches.Average():0.0}");
    }

    /// <summary>A tap's weights and how far they have moved, in units of their root mean square, so that one rate suits all taps.</summary>
    internal sealed class LearntTap
    {
        private readonly Tensor weight;
        private readonly Tensor bias;
        private readonly double unit;
        private readonly Parameter weightMoved;
        private readonly Parameter biasMoved;

        public LearntTap(CompactVisionTower tower, int stage)
        {
            (weight, bias) = (tower.Weights[$"taps.{stage}.weight"].alias(), tower.Weights[$"taps.{stage}.bias"].clone());
            unit = Math.Sqrt(weight.Squared().mean().Value());
            (weightMoved, biasMoved) = (new Parameter(zeros_like(weight)), new Parameter(zeros_like(bias)));
        }

        public IEnumerable<Parameter> Parameters => [weightMoved, biasMoved];

        /// <summary>Goes back but for a share of the way.</summary>
        public void Keep(double share)
        {
            weightMoved.Scale(share);
            biasMoved.Scale(share);
        }

        public void Shift(Tensor by) => bias.Add(by);

        public Tensor Weight() => weight.Plus(weightMoved.Times(unit));

        public Tensor Bias() => bias.Plus(biasMoved.Times(BiasReach * unit));

        /// <summary>[…, W_i] → […, D_i].</summary>
        public Tensor Apply(Tensor map) => functional.linear(map, Weight(), Bias());
    }
}
