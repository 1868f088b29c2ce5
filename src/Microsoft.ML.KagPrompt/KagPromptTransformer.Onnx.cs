namespace Microsoft.ML.KagPrompt;

/// <content>The model as an ONNX file.</content>
public sealed partial class KagPromptTransformer
{
    /// <summary>
    /// Writes one class as an ONNX file that any runtime of ONNX scores images with, without this library and without libtorch
    /// (<see cref="KagPromptModel.ExportOnnx(string, OnnxExportOptions)"/>).
    /// </summary>
    /// <param name="path">The file; its folder is made where there is none.</param>
    /// <param name="options">Which class, and how; null: the only class, as the options are by themselves.</param>
    /// <exception cref="ArgumentException">The class is not known, or none is named and the model has several.</exception>
    /// <exception cref="NotSupportedException">The model cannot be said in ONNX: the message says what of it, and what to do.</exception>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="ObjectDisposedException">The transformer is disposed.</exception>
    public void ExportOnnx(string path, OnnxExportOptions? options = null) => Model.ExportOnnx(path, options);

    /// <summary>The same to a stream, left open.</summary>
    /// <param name="destination">A writable stream.</param>
    /// <param name="options">Which class, and how; null: the only class, as the options are by themselves.</param>
    /// <exception cref="ArgumentException">The class is not known, or none is named and the model has several.</exception>
    /// <exception cref="NotSupportedException">The model cannot be said in ONNX, or its weights have 2 GB or more.</exception>
    /// <exception cref="ObjectDisposedException">The transformer is disposed.</exception>
    public void ExportOnnx(Stream destination, OnnxExportOptions? options = null) => Model.ExportOnnx(destination, options);
}
