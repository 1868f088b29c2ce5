using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.Kag;

/// <summary>Attention of many patches without the whole of their weights: some queries at a time.</summary>
internal static class BlockedAttention
{
    // Weights held at a time, and as many again while they are normed.
    private const long Block = 1 << 24;

    /// <summary>softmax over rows of Q K^T, times V: [B, L, C'] each → [B, L, C']. Without gradients. The caller owns it.</summary>
    public static Tensor Apply(Tensor queries, Tensor keys, Tensor values, long block = Block)
    {
        using var scope = NewDisposeScope();
        var (batch, patches) = (queries.shape[0], queries.shape[1]);
        var rows = Math.Max(1, block / (batch * keys.shape[1]));
        var turned = keys.transpose(1, 2);
        var mixed = empty(batch, patches, values.shape[2], dtype: values.dtype, device: values.device);
        for (var first = 0L; first < patches; first += rows)
        {
            using var inner = NewDisposeScope();
            var count = Math.Min(rows, patches - first);
            mixed.narrow(1, first, count).copy_(queries.narrow(1, first, count).bmm(turned).softmax(-1).bmm(values));
        }

        return mixed.MoveToOuterDisposeScope();
    }
}
