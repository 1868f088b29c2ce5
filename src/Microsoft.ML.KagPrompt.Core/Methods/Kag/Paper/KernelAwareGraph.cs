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
        using var lower = tensor(Lower, device: nodes.device);
        using var upper = tensor(Upper, device: nodes.device);
        // Message m goes to node receivers[m]: the four loops, then j → i and i → j of the six pairs.
        using var receivers = tensor([0, 1, 2, 3, .. Lower, .. Upper], ScalarType.Int64, device: nodes.device);
        for (var t = 1; t <= iterations; t++)
        {
            using var round = NewDisposeScope();
            if (IsLarge(nodes))
            {
                nodes = RoundInParts(nodes).MoveToOuterDisposeScope();
                continue;
            }

            var messages = cat([Loops(nodes, t), LineMessages(nodes, lower, upper, t)], 0);   // [16, B, L, C']
            var gates = Gates(messages, t);                                                   // [16, B, 1, C']
            var totals = TensorArithmetic.IndexAdd(zeros_like(nodes), receivers, messages * gates);      // (9) [4, B, L, C']
            Trace?.Invoke("total", t, totals);
            nodes = GatedUpdate.Apply(parameters, totals, nodes).MoveToOuterDisposeScope();         // (10)
            Trace?.Invoke("node", t, nodes);
        }

        return nodes;
    }

    /// <summary>(3): e_ii = α · softmax(q k^T) v + N_i.</summary>
    private Tensor Loops(Tensor nodes, int t)
    {
        var flat = nodes.flatten(0, 1);                                                        // [4B, L, C']
        var query = Linear("intra.query", flat);
        var key = Linear("intra.key", flat);
        var value = Linear("intra.value", flat);
        var attention = query.bmm(key.transpose(1, 2)).softmax(-1);                            // [4B, L, L]
        var loops = (parameters["intra.alpha"] * attention.bmm(value)).Plus(flat).view_as(nodes);
        Trace?.Invoke("loop", t, loops);
        return loops;
    }

    /// <summary>
    /// (4) to (7): e_ij = N_i W_c N_j^T serves both directions; h_ji = softmax_rows(e_ij) N_j. Returns the six j → i, then the six i → j.
    /// </summary>
    private Tensor LineMessages(Tensor nodes, Tensor lower, Tensor upper, int t)
    {
        var (batch, patches, width) = (nodes.shape[1], nodes.shape[2], nodes.shape[3]);
        var left = nodes.index_select(0, lower).view(6 * batch, patches, width);               // N_i
        var right = nodes.index_select(0, upper).view(6 * batch, patches, width);              // N_j
        var weighted = nodes.narrow(0, 0, nodes.shape[0] - 1).matmul(parameters["inter.weight"])
            .index_select(0, lower).view_as(left);                                             // N_i W_c
        var edges = weighted.bmm(right.transpose(1, 2));                                       // [6B, L, L]
        Trace?.Invoke("edge", t, edges);
        var toLower = edges.softmax(2).bmm(right);
        var toUpper = edges.softmax(1).transpose(1, 2).bmm(left);                              // rows of e_ji = columns of e_ij
        var messages = cat([toLower, toUpper], 0).view(12, batch, patches, width);
        Trace?.Invoke("message", t, messages);
        return messages;
    }

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
