using System.Runtime.Intrinsics.X86;
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

    /// <summary>
    /// <see cref="BFloat16"/> where the processor has AVX512_BF16 or AMX, or the model is on a GPU; else <see cref="Float32"/>.
    /// Each machine that loads the model decides anew: scores differ between them as those of the two do, and thresholds are of the machine
    /// that fitted.
    /// </summary>
    Auto,
}

internal static class PrecisionTypes
{
    // Of leaf 7: AVX512_BF16 in its second part, AMX-BF16 in its first.
    private const int FeatureLeaf = 7;
    private const int AvxBit = 5;
    private const int AmxBit = 22;

    /// <summary>What a tower on a device computes in.</summary>
    public static torch.ScalarType Type(this Precision precision, torch.Device device)
        => precision == Precision.BFloat16 || (precision == Precision.Auto && (device.type != DeviceType.CPU || ProcessorIs()))
            ? torch.ScalarType.BFloat16
            : torch.ScalarType.Float32;

    private static bool ProcessorIs()
        => X86Base.IsSupported && X86Base.CpuId(0, 0).Eax >= FeatureLeaf
            && ((X86Base.CpuId(FeatureLeaf, 1).Eax >> AvxBit & 1) != 0 || (X86Base.CpuId(FeatureLeaf, 0).Edx >> AmxBit & 1) != 0);
}
