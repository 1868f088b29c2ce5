using Microsoft.ML.KagPrompt.Backbones.Vit;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Onnx;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.KagPrompt.Methods.Kag.Paper;

/// <summary>
/// Equations (2) to (10) of KAG-prompt: the four layers' maps are the nodes of a complete graph; T rounds of loop edges, line edges, gated
/// messages and a ConvGRU update, all parameters shared by nodes and rounds.
/// Nodes lie in one tensor [4, B, L, C'] so that what is shared runs as one product.
/// </summary>
internal sealed partial class KernelAwareGraph(GraphParameters parameters, int iterations) : IMessageGraph
{
    /// <summary>Nodes i and j of the six unordered pairs, i &lt; j.</summary>
    private static readonly long[] Lower = [0, 0, 0, 1, 1, 2];
    private static readonly long[] Upper = [1, 2, 3, 2, 3, 3];

    /// <summary>Which of the 16 messages each node receives, row by row: [4, 16].</summary>
    private static readonly float[] Received = [.. Enumerable.Range(0, 4).SelectMany(node
        => ((long[])[0, 1, 2, 3, .. Lower, .. Upper]).Select(receiver => receiver == node ? 1f : 0f))];

    public Action<string, int, Tensor>? Trace { get; set; }

    public Tensor Forward(Tensor nodes)
    {
        for (var t = 1; t <= iterations; t++)
        {
            using var round = NewDisposeScope();
            nodes = (IsLarge(nodes) ? RoundInParts(nodes) : Heard(nodes, Attended(nodes, t), t)).MoveToOuterDisposeScope();
            Trace?.Invoke("node", t, nodes);
        }

        return nodes;
    }

    public TrainedRounds? Train(Tensor nodes) => ProductTiles.Take(nodes) ? new(this, nodes, iterations) : null;

    /// <summary>What patches find, with their weights whole: one edge e_ij = N_i W_c N_jᵀ serves both directions.</summary>
    private Tensor[] Attended(Tensor nodes, int t)
    {
        var all = Attending(nodes);
        var (loops, weighted, right, left) = (all[0], all[1][0], all[1][1], all[2][2]);
        var own = loops[0].bmm(loops[1].transpose(1, 2)).softmax(-1).bmm(loops[2]);            // [4B, L, C']
        var edges = weighted.bmm(right.transpose(1, 2));                                       // [6B, L, L]
        Trace?.Invoke("edge", t, edges);
        // Rows of e_ji are the columns of e_ij.
        return [own, edges.softmax(2).bmm(right), edges.softmax(1).transpose(1, 2).bmm(left)];
    }

    /// <summary>
    /// Q, K and V of all that patches attend to: a node's own (3), [4B, L, ·]; then, of the six pairs, N_i W_c, N_j, N_j for j → i, and
    /// N_j, N_i W_c, N_i for i → j (4) to (7), [6B, L, C'].
    /// </summary>
    public Tensor[][] Attending(Tensor nodes)
    {
        var flat = nodes.flatten(0, 1);                                                        // [4B, L, C']
        var (left, right) = (Ends(nodes, Lower), Ends(nodes, Upper));                          // N_i, N_j
        var weighted = nodes.narrow(0, 0, nodes.shape[0] - 1).matmul(parameters["inter.weight"])
            .index_select(0, tensor(Lower, device: nodes.device)).flatten(0, 1);               // N_i W_c
        return
        [
            [Linear("intra.query", flat), Linear("intra.key", flat), Linear("intra.value", flat)],
            [weighted, right, right],
            [right, weighted, left],
        ];
    }

    /// <summary>N^t of N^(t-1) and of what its patches found by <see cref="Attending"/>.</summary>
    public Tensor Heard(Tensor nodes, IReadOnlyList<Tensor> found, int t = 0)
    {
        var loops = (parameters["intra.alpha"] * found[0]).Plus(nodes.flatten(0, 1)).view_as(nodes);
        Trace?.Invoke("loop", t, loops);
        var lines = cat([found[1], found[2]], 0).view(12, nodes.shape[1], nodes.shape[2], nodes.shape[3]);
        Trace?.Invoke("message", t, lines);
        var messages = cat([loops, lines], 0);                                                 // [16, B, L, C']
        using var receivers = tensor([0, 1, 2, 3, .. Lower, .. Upper], ScalarType.Int64, device: nodes.device);
        var totals = TensorArithmetic.IndexAdd(zeros_like(nodes), receivers, messages * Gates(messages, t));    // (9) [4, B, L, C']
        Trace?.Invoke("total", t, totals);
        return GatedUpdate.Apply(parameters, totals, nodes);                                   // (10)
    }

    private static Tensor Ends(Tensor nodes, long[] ends) => nodes.index_select(0, tensor(ends, device: nodes.device)).flatten(0, 1);

    /// <summary>(8): a = σ(GAP(W_g * h + b)); the mean and the 1×1 convolution commute.</summary>
    private Tensor Gates(Tensor messages, int t)
    {
        var gates = Linear("gate", messages.mean([2], keepdim: true)).sigmoid();               // [16, B, 1, C']
        Trace?.Invoke("gate", t, gates);
        return gates;
    }

    private Tensor Linear(string name, Tensor input) => functional.linear(input, parameters[$"{name}.weight"], parameters[$"{name}.bias"]);

    public OnnxValue Emit(OnnxValue nodes, int side)
    {
        var (patches, width) = ((long)side * side, parameters["inter.weight"].shape[0]);
        for (var t = 1; t <= iterations; t++)
        {
            var messages = new[] { Loops(nodes, patches, width), LineMessages(nodes, patches, width) }.Concat(0);
            var gated = messages * Linear("gate", messages.Mean(2, keep: true)).Sigmoid();
            // (9), a sum over those that a node receives, as a product with ones.
            var totals = nodes.Graph.Constant(Received, 4, 16).MatMul(gated.Reshape(16, -1)).Reshape(4, -1, patches, width);
            nodes = GatedUpdate.Emit(parameters, totals, nodes);
        }

        return nodes;
    }

    private OnnxValue Loops(OnnxValue nodes, long patches, long width)
    {
        var flat = nodes.Reshape(-1, patches, width);
        var attention = Linear("intra.query", flat).MatMul(Linear("intra.key", flat).Swap()).Softmax(-1);
        var loops = (attention.MatMul(Linear("intra.value", flat)) * nodes.Graph.Weight(parameters["intra.alpha"])) + flat;
        return loops.Reshape(4, -1, patches, width);
    }

    private OnnxValue LineMessages(OnnxValue nodes, long patches, long width)
    {
        var left = nodes.Gather(0, Lower).Reshape(-1, patches, width);
        var right = nodes.Gather(0, Upper).Reshape(-1, patches, width);
        var weighted = nodes.MatMul(nodes.Graph.Weight(parameters["inter.weight"])).Gather(0, Lower).Reshape(-1, patches, width);
        var edges = weighted.MatMul(right.Swap());
        var toLower = edges.Softmax(2).MatMul(right);
        var toUpper = edges.Swap().Softmax(2).MatMul(left);
        return new[] { toLower, toUpper }.Concat(0).Reshape(12, -1, patches, width);
    }

    private OnnxValue Linear(string name, OnnxValue input) => input.Linear(parameters[$"{name}.weight"], parameters[$"{name}.bias"]);
}
