using System.Text.Json.Serialization;

namespace Microsoft.ML.KagPrompt.Results;

/// <summary>What a person says of a verdict.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<FeedbackKind>))]
public enum FeedbackKind
{
    /// <summary>Nothing, or what was said is taken back.</summary>
    None,

    /// <summary>A sound part was rejected.</summary>
    FalseAlarm,

    /// <summary>A defective part was passed.</summary>
    Missed,

    /// <summary>The verdict was right.</summary>
    Confirmed,
}
