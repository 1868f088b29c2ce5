using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt.Results.AspNetCore;

/// <summary>How results are served.</summary>
/// <remarks>Read once, when the services are made.</remarks>
public sealed class KagPromptResultsApiOptions
{
    /// <summary>The file of the API keys' hashes; null: api-keys.json in <see cref="KagPromptResultsOptions.Folder"/>.</summary>
    public string? KeyFile { get; set; }

    /// <summary>Most requests a minute with one key, 1 to 1,000,000; further ones are answered with 429.</summary>
    public int RequestsPerMinute { get; set; } = 600;

    /// <summary>
    /// Most wrong keys a minute from one address (of IPv6 one network of 64 bits), 1 to 1,000,000; further ones are answered with 429.
    /// </summary>
    public int WrongKeysPerMinute { get; set; } = 60;

    /// <summary>Checks every value.</summary>
    /// <exception cref="ArgumentException">Names every invalid value in one message.</exception>
    public void Validate() => new OptionFaults()
        .Require(KeyFile is null || KeyFile.Trim().Length > 0, nameof(KeyFile), "a file, or null", KeyFile)
        .Require(RequestsPerMinute is >= 1 and <= 1_000_000, nameof(RequestsPerMinute), "1 to 1000000", RequestsPerMinute)
        .Require(WrongKeysPerMinute is >= 1 and <= 1_000_000, nameof(WrongKeysPerMinute), "1 to 1000000", WrongKeysPerMinute)
        .ThrowIfAny(nameof(KagPromptResultsApiOptions));
}
