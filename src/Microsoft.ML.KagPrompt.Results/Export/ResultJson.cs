using System.Text.Json;
using System.Text.Json.Serialization;

namespace Microsoft.ML.KagPrompt.Results.Export;

/// <summary>Results as JSON: small first letters, kinds as words.</summary>
[JsonSerializable(typeof(StoredResult))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
internal sealed partial class ResultJson : JsonSerializerContext;
