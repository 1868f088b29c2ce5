using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.KagPrompt.Methods.Kag.Released;

/// <content>Rounds of many patches: one node after the other, the edges of its messages in blocks.</content>
internal sealed partial class ReleasedGraph
{
    public long LargestAtOnce { get; set; } = 1 << 26;

    private bool IsLarge(Tensor nodes)
    {
        var (batch, patches, width) = (nodes.shape[1], nodes.shape[2], nodes.shape[3]);
        return !is_grad_enabled() && Senders.Length * batch * patches * (width + patches) > LargestAtOnce;
    }

    /// <summary>N^(t-1) → N^t: [4, B, L, C'].</summary>
    private Tensor RoundInParts(Tensor nodes)
    {
        var next = empty_like(nodes);
        for (var i = 0; i < Nodes; i++)
        {
            using var scope = NewDisposeScope();
            var own = nodes.select(0, i);
            var query = functional.linear(own, parameters["edge.weight"]);
            var messages = stack([.. Senders.Where((_, m) => Receivers[m] == i).Select(sender => Message(query, nodes.select(0, sender)))]);
            next.select(0, i).copy_(GatedUpdate.Apply(parameters, Fuse(messages).squeeze(0), own));
        }

        return next;
    }

    /// <summary>What a node hears of another, gated: [B, L, C'].</summary>
    private Tensor Message(Tensor query, Tensor sender)
    {
        using var scope = NewDisposeScope();
        var message = BlockedAttention.Apply(query, sender, sender);
        return (message * functional.linear(message, parameters["message_gate.weight"]).sigmoid()).MoveToOuterDisposeScope();
    }
}
