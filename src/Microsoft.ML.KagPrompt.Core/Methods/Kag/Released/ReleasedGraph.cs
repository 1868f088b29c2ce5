using Microsoft.ML.KagPrompt.Backbones.Vit;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Onnx;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.KagPrompt.Methods.Kag.Released;

/// <summary>
/// The graph of the authors' code. Each node hears the three others: e_ij = Linear(N_i) N_j^T, h_ji = softmax_rows(e_ij) N_j, each message
/// weighed per patch by a one-channel gate, the three concatenated (ascending j), fused by a shared 3×3 convolution,
/// and taken up by a ConvGRU. There is no loop edge.
/// </summary>
internal sealed partial class ReleasedGraph(GraphParameters parameters, int iterations) : IMessageGraph
{
    private const int Nodes = 4;

    /// <summary>
    /// The twelve ordered pairs: message m goes from <see cref="Senders"/>[m] to <see cref="Receivers"/>[m];
    /// a receiver's three lie together, ascending.
    /// </summary>
    private static readonly long[] Receivers = [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3];
    private static readonly long[] Senders = [1, 2, 3, 0, 2, 3, 0, 1, 3, 0, 1, 2];

    public Action<string, int, Tensor>? Trace { get; set; }

    public Tensor Forward(Tensor nodes)
    {
        using var receivers = tensor(Receivers, device: nodes.device);
        using var senders = tensor(Senders, device: nodes.device);
        for (var t = 1; t <= iterations; t++)
        {
            using var round = NewDisposeScope();
            if (IsLarge(nodes))
            {
                nodes = RoundInParts(nodes).MoveToOuterDisposeScope();
                continue;
            }

            var messages = Messages(nodes, receivers, senders);
            Trace?.Invoke("message", t, messages);
            var fused = Fuse(messages);
            Trace?.Invoke("total", t, fused);
            nodes = GatedUpdate.Apply(parameters, fused, nodes).MoveToOuterDisposeScope();
            Trace?.Invoke("node", t, nodes);
        }

        return nodes;
    }

    /// <summary>[4, B, L, C'] → gated messages [12, B, L, C'].</summary>
    private Tensor Messages(Tensor nodes, Tensor receivers, Tensor senders)
    {
        var (batch, patches, width) = (nodes.shape[1], nodes.shape[2], nodes.shape[3]);
        var queries = functional.linear(nodes, parameters["edge.weight"]);                     // Linear(N_i), once for the three it serves
        var left = queries.index_select(0, receivers).view(12 * batch, patches, width);
        var right = nodes.index_select(0, senders).view(12 * batch, patches, width);
        var messages = left.bmm(right.transpose(1, 2)).softmax(-1).bmm(right);                 // [12B, L, C']
        var gates = functional.linear(messages, parameters["message_gate.weight"]).sigmoid();   // [12B, L, 1]
        return (messages * gates).view(12, batch, patches, width);
    }

    /// <summary>The three messages of each node side by side through one 3×3 convolution: [3 n, B, L, C'] → [n, B, L, C'].</summary>
    private Tensor Fuse(Tensor messages)
    {
        var (batch, patches, width) = (messages.shape[1], messages.shape[2], messages.shape[3]);
        var side = MultiKernelConvolution.GridSide(patches);
        var nodes = messages.shape[0] / 3;
        var grid = messages.view(nodes, 3, batch, patches, width).permute(0, 2, 1, 4, 3).reshape(nodes * batch, 3 * width, side, side);
        return Convolution.Apply(grid, parameters["fusion.weight"], parameters["fusion.bias"], padding: 1)
            .flatten(2).transpose(1, 2).reshape(nodes, batch, patches, width);
    }

    public OnnxValue Emit(OnnxValue nodes, int side)
    {
        for (var t = 1; t <= iterations; t++)
        {
            nodes = GatedUpdate.Emit(parameters, Fuse(Messages(nodes, side), side), nodes);
        }

        return nodes;
    }

    private OnnxValue Messages(OnnxValue nodes, long side)
    {
        var (patches, width) = (side * side, parameters["edge.weight"].shape[0]);
        var left = nodes.Linear(parameters["edge.weight"], null).Gather(0, Receivers).Reshape(-1, patches, width);
        var right = nodes.Gather(0, Senders).Reshape(-1, patches, width);
        var messages = left.MatMul(right.Swap()).Softmax(-1).MatMul(right);
        return messages * messages.Linear(parameters["message_gate.weight"], null).Sigmoid();      // [12N, L, C']
    }

    private OnnxValue Fuse(OnnxValue messages, long side)
    {
        var (patches, width) = (side * side, parameters["edge.weight"].shape[0]);
        var grid = messages.Reshape(Nodes, 3, -1, patches, width).Permute(0, 2, 1, 4, 3).Reshape(-1, 3 * width, side, side);
        return grid.Conv(parameters["fusion.weight"], parameters["fusion.bias"], padding: 1).Tokens().Reshape(Nodes, -1, patches, width);
    }
}
