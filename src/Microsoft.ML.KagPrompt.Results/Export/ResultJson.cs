using System.Text.Json;
using System.Text.Json.Serialization;

namespace Microsoft.ML.KagPrompt.Results.Export;

/// <summary>Results as JSON: small first letters.</summary>
[JsonSerializable(typeof(StoredResult))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
internal sealed partial class ResultJson : JsonSerializerContext;
