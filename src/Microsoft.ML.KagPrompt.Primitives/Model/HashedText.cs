using System.Security.Cryptography;
using System.Text;

namespace Microsoft.ML.KagPrompt.Model;

/// <summary>SHA-256 of texts a model is saved with.</summary>
internal static class HashedText
{
    /// <summary>Of the text in UTF-8, lower-case hexadecimal.</summary>
    public static string HashOf(string text) => HashOf(Encoding.UTF8.GetBytes(text));

    /// <summary>Lower-case hexadecimal.</summary>
    public static string HashOf(ReadOnlySpan<byte> text) => Convert.ToHexStringLower(SHA256.HashData(text));

    /// <summary>Whether a text has a hash, which is written in lower case: in other letters it is not what was saved.</summary>
    public static bool Has(ReadOnlySpan<byte> text, string? hash) => string.Equals(HashOf(text), hash, StringComparison.Ordinal);
}
