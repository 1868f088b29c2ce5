using TorchSharp;

namespace Microsoft.ML.KagPrompt;

/// <summary>How a converted backbone's weights are stored.</summary>
public enum WeightType
{
    /// <summary>As published, 32 bit.</summary>
    Float32,

    /// <summary>16 bit, eleven of them precision: half the size, the nearest to 32 bit. The default.</summary>
    Float16,

    /// <summary>
    /// 16 bit, eight of them precision: what <see cref="Precision.BFloat16"/> computes in, so nothing is converted when loading.
    /// </summary>
    BFloat16,
}

internal static class WeightTypes
{
    public static torch.ScalarType Type(this WeightType type) => type switch
    {
        WeightType.Float16 => torch.ScalarType.Float16,
        WeightType.BFloat16 => torch.ScalarType.BFloat16,
        _ => torch.ScalarType.Float32,
    };
}
