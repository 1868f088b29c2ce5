using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Checkpoints;

/// <summary>A storage a pickle refers to.</summary>
internal sealed record PickledStorage(string Key, ScalarType Type, int ItemSize, long Count);

/// <summary>A tensor as a pickle describes it: a view of a storage.</summary>
internal sealed record PickledTensor(PickledStorage Storage, long Offset, long[] Shape, long[] Strides)
{
    /// <summary>
    /// Values from the first to the last one touched, both included; 0 for an empty tensor.
    /// A double, because a stranger's sizes and strides overflow a long.
    /// </summary>
    public double Reach => Shape.Contains(0) ? 0 : 1 + Shape.Zip(Strides, (size, stride) => (size - 1.0) * stride).Sum();
}

/// <summary>A dictionary in the order it was pickled.</summary>
internal sealed class PickledDictionary
{
    public List<KeyValuePair<object, object?>> Items { get; } = [];
}
