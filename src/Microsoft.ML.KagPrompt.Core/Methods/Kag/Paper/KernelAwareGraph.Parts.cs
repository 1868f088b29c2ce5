using Microsoft.ML.KagPrompt.Numerics;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.Kag.Paper;

/// <content>Rounds of many patches: one message after the other, its edges in blocks, taken up as it comes.</content>
internal sealed partial class KernelAwareGraph
{
    private const int Messages = 16;

    /// <summary>Edges, and their softmaxes: of four loops and six lines.</summary>
    private const int Edges = 10;

    public long LargestAtOnce { get; set; } = 1 << 26;

    private bool IsLarge(Tensor nodes)
    {
        var (batch, patches, width) = (nodes.shape[1], nodes.shape[2], nodes.shape[3]);
        return !is_grad_enabled() && batch * patches * ((Messages * width) + (Edges * patches)) > LargestAtOnce;
    }

    /// <summary>N^(t-1) → N^t: [4, B, L, C'].</summary>
    private Tensor RoundInParts(Tensor nodes)
    {
        var totals = zeros_like(nodes);
        for (var i = 0; i < nodes.shape[0]; i++)
        {
            Hear(i, Loop(nodes.select(0, i)));
        }

        for (var pair = 0; pair < Lower.Length; pair++)
        {
            using var scope = NewDisposeScope();
            var (left, right) = (nodes.select(0, Lower[pair]), nodes.select(0, Upper[pair]));
            var weighted = left.matmul(parameters["inter.weight"]);
            Hear(Lower[pair], BlockedAttention.Apply(weighted, right, right));
            // The columns of e_ij are the rows of e_ji: they are made again rather than kept.
            Hear(Upper[pair], BlockedAttention.Apply(right, weighted, left));
        }

        var next = empty_like(nodes);
        for (var i = 0; i < nodes.shape[0]; i++)
        {
            using var scope = NewDisposeScope();
            next.select(0, i).copy_(GatedUpdate.Apply(parameters, totals.select(0, i), nodes.select(0, i)));
        }

        return next;

        void Hear(long receiver, Tensor message)
        {
            using var scope = NewDisposeScope();
            using var heard = message;
            var gate = Linear("gate", message.mean([1], keepdim: true)).sigmoid();                // [B, 1, C']
            totals.select(0, receiver).Add(message * gate);
        }
    }

    /// <summary>(3) of one node: [B, L, C'].</summary>
    private Tensor Loop(Tensor node)
    {
        using var scope = NewDisposeScope();
        var attended = BlockedAttention.Apply(Linear("intra.query", node), Linear("intra.key", node), Linear("intra.value", node));
        return (parameters["intra.alpha"] * attended).Plus(node).MoveToOuterDisposeScope();
    }
}
