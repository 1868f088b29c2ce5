using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.Interop;
using Microsoft.ML.KagPrompt.OnnxReading;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.KagPrompt;

/// <summary>Applies an exported model. There is nothing to fit: it is an estimator so that it can stand in a pipeline.</summary>
/// <remarks>Immutable; may be fitted from several threads.</remarks>
public sealed class KagOnnxEstimator : IEstimator<KagOnnxTransformer>
{
    private readonly IHost host;
    private readonly ExportedFile file;
    private readonly KagOnnxOptions options;

    internal KagOnnxEstimator(IHostEnvironment environment, string path, KagOnnxOptions options)
    {
        SupportedMLNet.Check();
        options.Validate();
        host = environment.Register(nameof(KagOnnxEstimator));
        (file, this.options) = (ExportedFile.Read(path), options);
    }

    /// <summary>Loads the model into ONNX Runtime; reads no row. The caller disposes the transformer.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The image column is missing or of the wrong type.</exception>
    /// <exception cref="ModelFormatException">ONNX Runtime refuses the file.</exception>
    /// <exception cref="NativeRuntimeException">ONNX Runtime, or the provider asked for, is not there; the message names the
    /// package.</exception>
    public KagOnnxTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        KagOnnxTransformer.InputOf(input.Schema, options, file.Info);
        return new(host, file, options);
    }

    /// <summary>The schema after it.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The image column is missing or of the wrong type.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        var className = options.Columns.ClassName is { } name && inputSchema.TryFindColumn(name, out _) ? name : null;
        InputShape.Check(inputSchema, options.Columns with { ClassName = className, Label = null, NormalLabel = null, Support = null });
        return OutputSchema.Append(inputSchema, options.Columns);
    }
}
