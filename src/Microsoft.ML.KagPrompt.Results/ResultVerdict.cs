namespace Microsoft.ML.KagPrompt.Results;

/// <summary>How a part was decided.</summary>
public enum ResultVerdict
{
    /// <summary>Not anomalous.</summary>
    Passed,

    /// <summary>Anomalous; foreign ones among them.</summary>
    Anomalous,

    /// <summary>The picture shows something else than the part.</summary>
    Foreign,
}
