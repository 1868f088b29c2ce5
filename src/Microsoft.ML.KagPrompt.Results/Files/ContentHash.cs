using System.Security.Cryptography;

namespace Microsoft.ML.KagPrompt.Results.Files;

/// <summary>SHA-256 in 64 small hexadecimal digits: the only thing of a client that becomes part of a path.</summary>
internal static class ContentHash
{
    public const int Length = 64;

    public static string Compute(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    public static bool Is(string? text)
        => text is { Length: Length } && !text.AsSpan().ContainsAnyExcept("0123456789abcdef");
}
