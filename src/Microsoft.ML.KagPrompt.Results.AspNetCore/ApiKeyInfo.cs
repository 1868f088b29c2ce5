namespace Microsoft.ML.KagPrompt.Results.AspNetCore;

/// <summary>What is known of a key; the key itself is known to its holder alone.</summary>
/// <param name="Id">16 hexadecimal digits; a part of the key, and no secret.</param>
/// <param name="Name">Whose it is.</param>
/// <param name="Role">What it lets them do.</param>
/// <param name="Created">When it was made, in UTC.</param>
/// <param name="Revoked">Since when it is refused; null: it is taken.</param>
public sealed record ApiKeyInfo(string Id, string Name, ApiKeyRole Role, DateTimeOffset Created, DateTimeOffset? Revoked);
