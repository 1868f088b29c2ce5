namespace Microsoft.ML.KagPrompt.Results.AspNetCore.Keys;

/// <summary>A key as the file has it.</summary>
/// <param name="Info">What is known of it.</param>
/// <param name="Hash">SHA-256 of its secret, hexadecimal.</param>
internal sealed record KeyEntry(ApiKeyInfo Info, string Hash)
{
    /// <summary>No secret is known that has it.</summary>
    public static readonly string HashOfNone = new('0', 64);
}
