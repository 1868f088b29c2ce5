using System.Buffers.Text;
using System.Security.Cryptography;
using Microsoft.ML.KagPrompt.Results.Files;

namespace Microsoft.ML.KagPrompt.Results.AspNetCore.Keys;

/// <summary>A key as its holder has it: kag_ID_SECRET, so that what leaks is recognised by scanners.</summary>
internal readonly struct PresentedKey
{
    private const string Prefix = "kag_";
    private const int IdLength = 16;
    private const int SecretBytes = 32;

    private readonly byte[] secret;

    private PresentedKey(string id, byte[] secret) => (Id, this.secret) = (id, secret);

    public string Id { get; }

    public string Hash => ContentHash.Compute(secret);

    public static PresentedKey New()
        => new(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(IdLength / 2)), RandomNumberGenerator.GetBytes(SecretBytes));

    public static PresentedKey? TryParse(string text)
    {
        var secret = new byte[SecretBytes];
        return text.Length == Prefix.Length + IdLength + 1 + Base64Url.GetEncodedLength(SecretBytes)
            && text.StartsWith(Prefix, StringComparison.Ordinal) && text[Prefix.Length + IdLength] == '_'
            // Decoding throws at a letter that is none of its alphabet.
            && Base64Url.IsValid(text.AsSpan(Prefix.Length + IdLength + 1), out var length) && length == SecretBytes
            && Base64Url.TryDecodeFromChars(text.AsSpan(Prefix.Length + IdLength + 1), secret, out _)
                ? new PresentedKey(text.Substring(Prefix.Length, IdLength), secret) : null;
    }

    /// <summary>In a time that does not tell how much of it was right.</summary>
    public bool HasHash(string hash) => CryptographicOperations.FixedTimeEquals(SHA256.HashData(secret), Convert.FromHexString(hash));

    public override string ToString() => $"{Prefix}{Id}_{Base64Url.EncodeToString(secret)}";
}
