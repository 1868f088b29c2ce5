using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.KagPrompt.Numerics;

/// <summary>
/// Two-dimensional convolution on whole blocks of channels. On some processors (seen on AMD Zen 5) libtorch's CPU convolution reads
/// channels beyond the last whole block of 16 without having cleared them, and its gradient under a stride likewise with blocks of 32:
/// wrong by tens of percent, without an error. Channels of zeros, added here where the sizes do not fill the blocks, cost nothing at the
/// sizes of real networks, which fill them. With channels last in memory it is wrong even at some sizes that do fill them (392 × 64 by
/// 640), so that inputs are brought to channels first. A single small image would go to NNPACK, which warns on the error stream at every
/// call where it does not know the processor: it is a matrix product here.
/// </summary>
internal static class Convolution
{
    // A still image's few planes are read as they are, without blocks.
    private const long Planes = 4;

    // Up to here, libtorch leaves a single image to NNPACK.
    private const long SmallImage = 20480;

    /// <summary>[N, I, H, W] with kernels [O, I, h, w] and bias [O] or none → [N, O, H', W'].</summary>
    public static Tensor Apply(Tensor input, Tensor weight, Tensor? bias, long stride = 1, long padding = 0)
    {
        if (input.device_type == DeviceType.CPU && input.shape[0] == 1 && input.numel() <= SmallImage)
        {
            return Product(input, weight, bias, stride, padding);
        }

        var block = stride == 1 || !is_grad_enabled() ? 16 : 32;
        var outputs = weight.shape[0];
        var (moreOutputs, moreInputs) = input.device_type != DeviceType.CPU
            ? (0, 0)
            : (Missing(outputs, block), weight.shape[1] <= Planes ? 0 : Missing(weight.shape[1], block));
        if (moreOutputs + moreInputs == 0)
        {
            using var planes = input.contiguous();
            return functional.conv2d(planes, weight, bias, strides: [stride, stride], padding: [padding, padding]);
        }

        using var scope = NewDisposeScope();
        var filled = functional.pad(input, [0, 0, 0, 0, 0, moreInputs]).contiguous();
        var kernels = functional.pad(weight, [0, 0, 0, 0, 0, moreInputs, 0, moreOutputs]);
        var shifts = bias is null ? null : functional.pad(bias, [0, moreOutputs]);
        return functional.conv2d(filled, kernels, shifts, strides: [stride, stride], padding: [padding, padding])
            .narrow(1, 0, outputs)
            .MoveToOuterDisposeScope();
    }

    private static Tensor Product(Tensor input, Tensor weight, Tensor? bias, long stride, long padding)
    {
        using var scope = NewDisposeScope();
        var (height, width) = (weight.shape[2], weight.shape[3]);
        long Steps(long side, long kernel) => ((side + (2 * padding) - kernel) / stride) + 1;
        var columns = functional.unfold(input, (height, width), padding: (padding, padding), stride: (stride, stride)); // [1, I·h·w, H'·W']
        var product = weight.flatten(1).matmul(columns); // [1, O, H'·W']
        var shifted = bias is null ? product : product.Plus(bias.view(1, -1, 1));
        return shifted.view(1, weight.shape[0], Steps(input.shape[2], height), Steps(input.shape[3], width)).MoveToOuterDisposeScope();
    }

    private static long Missing(long channels, long block) => (block - (channels % block)) % block;
}
