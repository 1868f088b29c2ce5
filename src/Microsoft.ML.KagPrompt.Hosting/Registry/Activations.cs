using System.Text.Json.Serialization;

namespace Microsoft.ML.KagPrompt.Hosting.Registry;

/// <summary>What was active, oldest first; the last one is.</summary>
internal sealed record Activations
{
    public IReadOnlyList<Activation> History { get; init; } = [];

    /// <summary>The active version's name; null: none is.</summary>
    [JsonIgnore]
    public string? Active => History.LastOrDefault()?.Version;
}

/// <param name="Version">Null: none.</param>
/// <param name="At">When.</param>
/// <param name="By">Who decided it.</param>
internal sealed record Activation(string? Version, DateTimeOffset At, string By);
