using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.Onnx;

namespace Microsoft.ML.KagPrompt;

/// <content>A model as an ONNX file.</content>
public sealed partial class KagPromptModel
{
    /// <summary>
    /// Writes one class as one ONNX file (opset 18, standard operators alone) that takes images and gives scores, maps and verdicts, the
    /// same as this model but for roundings, in any runtime that reads ONNX. It appears whole or not at all. Weights of 2 GB or more lie
    /// beside it, in a file of the same name that ends in ".data", which appears whole before it.
    /// </summary>
    /// <param name="path">The file; its folder is made where there is none.</param>
    /// <param name="options">Which class, and how; null: the only class, as the options are by themselves.</param>
    /// <exception cref="ArgumentException">The class is not known, or none is named and the model has several.</exception>
    /// <exception cref="NotSupportedException">The model cannot be said in ONNX: the message says what of it, and what to do.</exception>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public void ExportOnnx(string path, OnnxExportOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        Export(options, (graph, metadata) => OnnxFile.Write(path, graph, metadata));
    }

    /// <summary>The same to a stream, left open.</summary>
    /// <param name="destination">A writable stream.</param>
    /// <param name="options">Which class, and how; null: the only class, as the options are by themselves.</param>
    /// <exception cref="ArgumentException">The class is not known, or none is named and the model has several.</exception>
    /// <exception cref="NotSupportedException">The model cannot be said in ONNX, or its weights have 2 GB or more, which one stream cannot
    /// hold.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public void ExportOnnx(Stream destination, OnnxExportOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(destination);
        Export(options, (graph, metadata) => OnnxFile.Write(destination, graph, metadata));
    }

    private void Export(OnnxExportOptions? options, Action<OnnxGraph, IReadOnlyDictionary<string, string>> write)
    {
        options ??= new();
        options.Validate();
        using var held = Hold();
        var name = options.ClassName is null && classes.Count > 1
            ? throw new ArgumentException($"{nameof(OnnxExportOptions)}.{nameof(options.ClassName)}: expected the name of a class, "
                + "as a file holds one and this model knows several: "
                + $"{string.Join(", ", classes.Keys.Order(StringComparer.Ordinal).Take(20).Select(known => $"'{known}'"))}.",
                nameof(options))
            : KnownName(options.ClassName);
        var (graph, metadata) = OnnxExport.Build(this, name, options);
        using (graph)
        {
            write(graph, metadata);
        }
    }
}
