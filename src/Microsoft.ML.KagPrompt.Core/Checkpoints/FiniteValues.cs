using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Checkpoints;

/// <summary>
/// Whether tensors hold numbers: a single NaN among weights makes every score NaN, and no comparison with a threshold
/// calls such a score anomalous.
/// </summary>
internal static class FiniteValues
{
    /// <summary>Whether no value is NaN or infinite.</summary>
    public static bool Are(torch.Tensor tensor)
    {
        if (tensor.numel() == 0 || !tensor.is_floating_point())
        {
            return true;
        }

        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        // Both ends are NaN where any value is: one pass, and nothing of the tensor's size is allocated.
        var (least, largest) = tensor.detach().reshape(-1).aminmax(0);
        return float.IsFinite(least.to_type(torch.ScalarType.Float32).Value())
            && float.IsFinite(largest.to_type(torch.ScalarType.Float32).Value());
    }

    /// <summary>Throws where a checkpoint's tensor is not of numbers.</summary>
    /// <param name="tensor">As it is used.</param>
    /// <param name="stored">As it was stored.</param>
    /// <param name="name">Its name there.</param>
    /// <param name="origin">Where it is from.</param>
    /// <exception cref="CheckpointFormatException">A value is NaN or infinite, or beyond the type's range.</exception>
    public static void Check(torch.Tensor tensor, torch.Tensor stored, string name, string origin)
    {
        if (Are(tensor))
        {
            return;
        }

        throw new CheckpointFormatException(Are(stored)
            ? $"{origin}: tensor '{name}' holds values beyond what {tensor.dtype} reaches. "
                + "Use another precision, or refer to the backbone instead of embedding it (BackboneStorage)."
            : $"{origin}: tensor '{name}' holds values that are not numbers: expected finite ones, got NaN or infinity. "
                + "Fetch the file again, or train it anew.");
    }
}
