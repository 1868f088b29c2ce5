using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Numerics;

/// <summary>
/// Arithmetic between tensors and numbers. TorchSharp turns a number (and the hidden factor 1 of a + b) into a native scalar whose managed
/// owner is dead by the time the native call runs: a garbage collection at that moment frees it, and the call reads freed memory.
/// Here every scalar outlives its call. Use these instead of the operators with numbers, and instead of + between tensors.
/// Tensors have the same fate where no dispose scope holds them: work on tensors runs inside a scope.
/// </summary>
internal static class TensorArithmetic
{
    private static readonly Scalar One = 1.ToScalar();

    public static Tensor Plus(this Tensor a, Tensor b) => a.add(b, One);

    public static Tensor Plus(this Tensor a, double b)
    {
        using var scalar = b.ToScalar();
        return a.add(scalar, One);
    }

    public static Tensor Minus(this Tensor a, Tensor b) => a.sub(b);

    /// <summary>1 − a.</summary>
    public static Tensor Complement(this Tensor a) => a.neg().add(One, One);

    public static Tensor Times(this Tensor a, double factor)
    {
        using var scalar = factor.ToScalar();
        return a.mul(scalar);
    }

    /// <summary>a, but a value where a mask is true.</summary>
    public static Tensor FilledWhere(this Tensor a, Tensor mask, double value)
    {
        using var scalar = value.ToScalar();
        return a.masked_fill(mask, scalar);
    }

    /// <summary>a², without the exponent that Tensor.square() hands over.</summary>
    public static Tensor Squared(this Tensor a) => a.mul(a);

    public static Tensor AtLeast(this Tensor a, double low)
    {
        using var scalar = low.ToScalar();
        return a.clamp_min(scalar);
    }

    public static Tensor AtMost(this Tensor a, double high)
    {
        using var scalar = high.ToScalar();
        return a.clamp_max(scalar);
    }

    public static Tensor IsAbove(this Tensor a, double threshold)
    {
        using var scalar = threshold.ToScalar();
        return a.gt(scalar);
    }

    /// <summary>a / max(‖a‖₂, 1e-12) along one dimension.</summary>
    public static Tensor UnitLength(this Tensor a, long dimension)
        => a / a.Squared().sum(dimension, keepdim: true).sqrt().AtLeast(1e-12);

    /// <summary>a += b, in place.</summary>
    public static void Add(this Tensor a, Tensor b) => a.add_(b, One);

    /// <summary>a += factor · b, in place.</summary>
    public static void AddScaled(this Tensor a, Tensor b, double factor)
    {
        using var scalar = factor.ToScalar();
        a.add_(b, scalar);
    }

    /// <summary>a *= factor, in place.</summary>
    public static void Scale(this Tensor a, double factor)
    {
        using var scalar = factor.ToScalar();
        a.mul_(scalar);
    }

    /// <summary>a with b's slices added at the rows the index names.</summary>
    public static Tensor IndexAdd(Tensor a, Tensor index, Tensor b) => a.index_add(0, index, b, One);

    /// <summary>The only value of a tensor.</summary>
    public static float Value(this Tensor a)
    {
        using var scope = NewDisposeScope();
        return a.detach().to(ScalarType.Float32).cpu().data<float>()[0];
    }
}
