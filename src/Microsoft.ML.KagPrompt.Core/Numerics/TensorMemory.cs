using TorchSharp;

namespace Microsoft.ML.KagPrompt.Numerics;

/// <summary>Where tensors lie.</summary>
internal static unsafe class TensorMemory
{
    /// <summary>A tensor's first number, of 32 bit in the processor's memory; valid while the tensor is.</summary>
    public static float* First(torch.Tensor tensor)
    {
        fixed (byte* first = tensor.bytes)
        {
            // Native memory, which nothing moves.
            return (float*)first;
        }
    }
}
