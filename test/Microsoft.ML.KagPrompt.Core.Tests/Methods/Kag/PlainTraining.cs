using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.KagPrompt.Tests.Methods.Kag;

/// <summary>Equations (1) to (12), (15), (17) and the optimiser in float64, as plain products that gradients flow through; written apart from the network.</summary>
internal sealed class PlainTraining
{
    private readonly Dictionary<string, Tensor> weights;
    private readonly Dictionary<string, (Tensor First, Tensor Second)> moments;
    private readonly int iterations;
    private int steps;

    public PlainTraining(IReadOnlyDictionary<string, Tensor> start, int iterations)
    {
        this.iterations = iterations;
        weights = start.ToDictionary(entry => entry.Key, entry => entry.Value.detach().to_type(ScalarType.Float64).clone().requires_grad_(true));
        moments = weights.ToDictionary(entry => entry.Key, entry => (zeros_like(entry.Value).detach(), zeros_like(entry.Value).detach()));
    }

    public IReadOnlyDictionary<string, Tensor> Weights => weights;

    /// <summary>The gradients of the last step, clipped.</summary>
    public Dictionary<string, Tensor> Gradients { get; private set; } = [];

    /// <summary>One step; the loss's parts.</summary>
    /// <param name="tokens">P_i: [N, L, D_i].</param>
    /// <param name="embeddings">[N, C'].</param>
    /// <param name="texts">[F_n, F_a] of each image: [N, 2, C'].</param>
    /// <param name="up">From patches to pixels of a side: [S, side].</param>
    /// <param name="masks">[N, S, S].</param>
    /// <param name="labels">1 for a defect.</param>
    /// <param name="options">Weights of the losses, clip, decay.</param>
    /// <param name="rate">Learning rate.</param>
    /// <param name="centres">Means of the patch tokens that the projections' steps are taken about; null: none.</param>
    public (double CrossEntropy, double Focal, double Dice) Step(Tensor[] tokens, Tensor embeddings, Tensor texts, Tensor up, Tensor masks, int[] labels,
        TrainingOptions options, double rate, Tensor[]? centres)
    {
        foreach (var weight in weights.Values)
        {
            weight.grad?.zero_();
        }

        var adapted = Linear(embeddings, "adapter");
        adapted = adapted / (adapted * adapted).sum(1, keepdim: true).sqrt();
        var logits = 100 * (adapted.unsqueeze(1) * texts).sum(2);                                                     // [N, 2]
        var chances = logits.exp() / logits.exp().sum(1, keepdim: true);
        var crossEntropy = -labels.Select((label, n) => chances[n, label].log()).Aggregate((a, b) => a + b) / labels.Length;
        var (focal, dice) = (zeros(1, ScalarType.Float64).sum(), zeros(1, ScalarType.Float64).sum());
        foreach (var output in Outputs(tokens))
        {
            var unit = output / (output * output).sum(2, keepdim: true).sqrt();                                       // [N, L, C']
            var cosines = (100 * unit.matmul(texts.transpose(1, 2))).exp();                                           // [N, L, 2]
            var side = (long)Math.Sqrt(cosines.shape[1]);
            var abnormal = (cosines.select(2, 1) / cosines.sum(2)).view(-1, side, side);
            var map = up.matmul(abnormal).matmul(up.t());                                                             // [N, S, S]
            var target = masks.clamp(1e-5, 1 - 1e-5);
            var likelihood = (target * map) + ((1 - target) * (1 - map)) + 1e-5;
            focal = focal - ((1 - likelihood).pow(2) * likelihood.log()).mean();
            dice = dice + Dice(map, masks) + Dice(1 - map, 1 - masks);
        }

        (crossEntropy + (options.FocalWeight * focal) + (options.DiceWeight!.Value * dice)).backward();
        using (no_grad())
        {
            Update(options, rate, centres);
        }

        return (crossEntropy.item<double>(), focal.item<double>(), dice.item<double>());
    }

    private void Update(TrainingOptions options, double rate, Tensor[]? centres)
    {
        Gradients = weights.ToDictionary(entry => entry.Key, entry => entry.Value.grad is { } gradient ? gradient.clone() : zeros_like(entry.Value));
        for (var i = 0; i < centres?.Length; i++)
        {
            Gradients[$"projection.{i}.weight"] -= Gradients[$"projection.{i}.bias"].outer(centres[i]);
        }

        var norm = Math.Sqrt(Gradients.Values.Sum(gradient => gradient.pow(2).sum().item<double>()));
        steps++;
        foreach (var name in Gradients.Keys.ToArray())
        {
            var gradient = Gradients[name] = Gradients[name] * Math.Min(1, options.GradientClip / norm);
            moments[name] = ((0.9 * moments[name].First) + (0.1 * gradient), (0.95 * moments[name].Second) + (0.05 * gradient * gradient));
            var (first, second) = (moments[name].First / (1 - Math.Pow(0.9, steps)), moments[name].Second / (1 - Math.Pow(0.95, steps)));
            var before = weights[name].detach().clone();
            weights[name].copy_((before * (1 - (rate * options.WeightDecay))) - (rate * first / (second.sqrt() + 1e-8)));
            if (centres is not null && name.StartsWith("projection.") && name.EndsWith(".weight"))
            {
                weights[name.Replace("weight", "bias")].add_((before - weights[name]).matmul(centres[name["projection.".Length] - '0']));
            }
        }
    }

    /// <summary>O_i: [N, L, C'] of each layer.</summary>
    private Tensor[] Outputs(Tensor[] tokens)
    {
        var initial = tokens.Select((layer, i) => Kernels(Linear(layer, $"projection.{i}"))).ToArray();
        var nodes = initial;
        for (var t = 0; t < iterations; t++)
        {
            var current = nodes;
            nodes = [.. current.Select((node, i) => Updated(current.Select((other, j) => Gated(j == i ? Loop(node) : Message(current, i, j))).Aggregate((a, b) => a + b), node))];
        }

        return [.. nodes.Zip(initial, (node, start) => node + start)];
    }

    private Tensor Kernels(Tensor projected)
    {
        var side = (long)Math.Sqrt(projected.shape[1]);
        var grid = projected.transpose(1, 2).reshape(projected.shape[0], -1, side, side);
        var sum = Enumerable.Range(0, 4).Select(k => functional.interpolate(Convolved(grid, $"kernels.{k}"),
            [side, side], mode: InterpolationMode.Bilinear, align_corners: true)).Aggregate((a, b) => a + b);
        return (sum / (sum * sum).sum(1, keepdim: true).sqrt()).flatten(2).transpose(1, 2);
    }

    /// <summary>Place by place of the kernel, without padding.</summary>
    private Tensor Convolved(Tensor grid, string name)
    {
        var kernel = weights[name + ".weight"];
        var (h, w) = (kernel.shape[2], kernel.shape[3]);
        var sum = weights[name + ".bias"].view(1, -1, 1, 1);
        for (var k = 0L; k < h * w; k++)
        {
            var seen = grid.narrow(2, k / w, grid.shape[2] - h + 1).narrow(3, k % w, grid.shape[3] - w + 1);         // [N, C', h', w']
            sum = sum + kernel.select(3, k % w).select(2, k / w).matmul(seen.flatten(2)).view_as(seen);
        }

        return sum;
    }

    private Tensor Loop(Tensor node)
        => (weights["intra.alpha"] * Linear(node, "intra.query").matmul(Linear(node, "intra.key").transpose(1, 2)).softmax(2).matmul(Linear(node, "intra.value"))) + node;

    private Tensor Message(Tensor[] nodes, int i, int j)
    {
        var between = i < j ? weights["inter.weight"] : weights["inter.weight"].t();
        return nodes[i].matmul(between).matmul(nodes[j].transpose(1, 2)).softmax(2).matmul(nodes[j]);
    }

    private Tensor Gated(Tensor message) => Linear(message, "gate").mean([1], keepdim: true).sigmoid() * message;

    private Tensor Updated(Tensor message, Tensor node)
    {
        var both = cat([message, node], 2);
        var (update, reset) = (Linear(both, "gru.update").sigmoid(), Linear(both, "gru.reset").sigmoid());
        return ((1 - update) * node) + (update * Linear(cat([message, reset * node], 2), "gru.candidate").tanh());
    }

    private static Tensor Dice(Tensor map, Tensor masks) => 1 - (((2 * (map * masks).sum([1, 2])) + 1) / (map.sum([1, 2]) + masks.sum([1, 2]) + 1)).mean();

    private Tensor Linear(Tensor input, string name) => input.matmul(weights[name + ".weight"].t()) + weights[name + ".bias"];
}
