using System.Text.Json.Serialization;

namespace Microsoft.ML.KagPrompt.Results.AspNetCore;

/// <summary>What a key lets its holder do.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ApiKeyRole>))]
public enum ApiKeyRole
{
    /// <summary>Ask: queries, pictures, export.</summary>
    Read,

    /// <summary>Ask, and also record results and give feedback.</summary>
    Write,
}
