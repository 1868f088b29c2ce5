using System.Security.Cryptography;

namespace Microsoft.ML.KagPrompt.Station.Accounts;

/// <summary>Passwords that are told once and must be changed.</summary>
internal static class OneTimePassword
{
    // Without letters that are taken for others when they are copied by hand: 31^16, 79 bits.
    private const string Letters = "abcdefghjkmnpqrstuvwxyz23456789";

    public static string New()
    {
        var letters = RandomNumberGenerator.GetString(Letters, 16);
        return string.Join('-', letters[..4], letters[4..8], letters[8..12], letters[12..]);
    }
}
