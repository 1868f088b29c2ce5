namespace Microsoft.ML.KagPrompt;

/// <summary>What computes an exported model: one of ONNX Runtime's execution providers.</summary>
public enum OnnxProvider
{
    /// <summary>The processor. In every package of ONNX Runtime. The default.</summary>
    Cpu,

    /// <summary>An NVIDIA GPU; package Microsoft.ML.OnnxRuntime.Gpu.</summary>
    Cuda,

    /// <summary>A GPU under Windows; package Microsoft.ML.OnnxRuntime.DirectML.</summary>
    DirectML,

    /// <summary>Intel's processors and GPUs; package Intel.ML.OnnxRuntime.OpenVino.</summary>
    OpenVino,
}
