using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt;

/// <summary>How an exported model is applied to the rows of a view.</summary>
/// <remarks>Immutable; safe to share between threads.</remarks>
public sealed record KagOnnxOptions
{
    /// <summary>
    /// Names of the columns read and appended. A file holds one class: a class column need not be there, and rows that name another class
    /// are refused. Label and support columns are not read.
    /// </summary>
    public ColumnOptions Columns { get; init; } = new();

    /// <summary>Rows that are read and scored together, 1 to 1024; the network takes 8 of them at a time.</summary>
    public int InferenceBatchSize { get; init; } = OnnxInspector.Batch;

    /// <summary>What computes. A saved pipeline keeps its <see cref="OnnxInspectorOptions.MaxPixels"/> and
    /// <see cref="OnnxInspectorOptions.Resizing"/>; a loaded one computes on the processor.</summary>
    public OnnxInspectorOptions Inspector { get; init; } = new();

    /// <summary>Checks every value.</summary>
    /// <exception cref="ArgumentException">Names every invalid value in one message.</exception>
    public void Validate()
    {
        var faults = new OptionFaults()
            .Require(Columns is not null, nameof(Columns), "options", Columns)
            .Require(Inspector is not null, nameof(Inspector), "options", Inspector)
            .Require(InferenceBatchSize is >= 1 and <= 1024, nameof(InferenceBatchSize), "1 to 1024", InferenceBatchSize);
        Columns?.CollectFaults(faults, nameof(Columns));
        Inspector?.CollectFaults(faults, $"{nameof(Inspector)}.");
        faults.ThrowIfAny(nameof(KagOnnxOptions));
    }
}
