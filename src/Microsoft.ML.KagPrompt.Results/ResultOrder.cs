using System.Text.Json.Serialization;

namespace Microsoft.ML.KagPrompt.Results;

/// <summary>In which order results come.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ResultOrder>))]
public enum ResultOrder
{
    /// <summary>The latest first.</summary>
    Newest,

    /// <summary>The earliest first.</summary>
    Oldest,

    /// <summary>The highest score first. Of foreign pictures the score says little.</summary>
    WorstFirst,
}
