namespace Microsoft.ML.KagPrompt;

/// <summary>How an ONNX file stores weights and remembered patches. What decides, thresholds and scales, is always of 32 bit.</summary>
public enum OnnxWeightType
{
    /// <summary>32 bit: scores as the model's but for roundings of single operations. The default.</summary>
    Float32,

    /// <summary>
    /// 16 bit, brought to 32 bit for computing: half the size, no faster. Scores differ by about a thousandth where the weights were of
    /// 32 bit.
    /// </summary>
    Float16,
}
