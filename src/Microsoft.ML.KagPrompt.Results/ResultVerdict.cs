using System.Text.Json.Serialization;

namespace Microsoft.ML.KagPrompt.Results;

/// <summary>How a part was decided.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ResultVerdict>))]
public enum ResultVerdict
{
    /// <summary>Not anomalous.</summary>
    Passed,

    /// <summary>Anomalous; foreign ones among them.</summary>
    Anomalous,

    /// <summary>The picture shows something else than the part.</summary>
    Foreign,
}
