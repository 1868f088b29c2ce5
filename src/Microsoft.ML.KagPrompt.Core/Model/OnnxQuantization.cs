namespace Microsoft.ML.KagPrompt;

/// <summary>What an ONNX file stores in 8 bit. Computing is in 32 bit all the same.</summary>
public enum OnnxQuantization
{
    /// <summary>Nothing. The default.</summary>
    None,

    /// <summary>
    /// The patches that a memory bank remembers, each with a scale of its own, brought back by DequantizeLinear: a quarter of their size
    /// in 32 bit, no faster. Scores differ by some ten-thousandths. Weights are as <see cref="OnnxExportOptions.Precision"/> says.
    /// </summary>
    Memory,
}
