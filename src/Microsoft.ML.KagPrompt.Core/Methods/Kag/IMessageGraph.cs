using Microsoft.ML.KagPrompt.Onnx;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Methods.Kag;

/// <summary>Rounds of message passing between the four layers' nodes.</summary>
internal interface IMessageGraph
{
    /// <summary>Told of every stage when set: name, round from 1, tensor. For golden tests.</summary>
    Action<string, int, torch.Tensor>? Trace { get; set; }

    /// <summary>
    /// Values of a round, messages and edges together, above which they are made one after the other where no gradients are wanted: the
    /// edges alone grow with the square of the patches.
    /// </summary>
    long LargestAtOnce { get; set; }

    /// <summary>N^0 → N^T: [4, B, L, C'].</summary>
    torch.Tensor Forward(torch.Tensor nodes);

    /// <summary>The same in ONNX operators, N free: [4, N, side², C'].</summary>
    OnnxValue Emit(OnnxValue nodes, int side);
}
