using TorchSharp;

namespace Microsoft.ML.KagPrompt;

/// <summary>What the vision tower computes in. Graph, memory bank and scores are always 32 bit.</summary>
public enum Precision
{
    /// <summary>32 bit. The default.</summary>
    Float32,

    /// <summary>
    /// bfloat16: half the memory, and faster where the processor has AVX512_BF16 or AMX, or on a GPU; slower elsewhere.
    /// Features differ by about a percent.
    /// </summary>
    BFloat16,
}

internal static class PrecisionTypes
{
    public static torch.ScalarType Type(this Precision precision)
        => precision == Precision.BFloat16 ? torch.ScalarType.BFloat16 : torch.ScalarType.Float32;
}
