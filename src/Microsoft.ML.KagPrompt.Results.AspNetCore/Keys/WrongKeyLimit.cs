using System.Net;
using System.Net.Sockets;
using System.Threading.RateLimiting;

namespace Microsoft.ML.KagPrompt.Results.AspNetCore.Keys;

/// <summary>So many wrong keys a minute from each address. Right keys from the same address are let in all the same: a line must not stand
/// still because of its neighbour.</summary>
/// <remarks>Thread-safe. Behind a proxy addresses are the clients' own only where the program takes forwarded headers.</remarks>
internal sealed class WrongKeyLimit(KagPromptResultsApiOptions options) : IDisposable
{
    // A network that is given out whole to one holder, in bytes.
    private const int NetworkOfSix = 8;

    private readonly PartitionedRateLimiter<string> limiter = PartitionedRateLimiter.Create<string, string>(address
        => RateLimitPartition.GetTokenBucketLimiter(address, _ => new()
        {
            TokenLimit = options.WrongKeysPerMinute,
            TokensPerPeriod = options.WrongKeysPerMinute,
            ReplenishmentPeriod = TimeSpan.FromMinutes(1),
        }));

    /// <summary>Notes a wrong key; whether there were too many, and after how long to come again.</summary>
    public TimeSpan? Note(IPAddress? address)
    {
        using var lease = limiter.AttemptAcquire(Holder(address));
        return lease.IsAcquired ? null : lease.TryGetMetadata(MetadataName.RetryAfter, out var after) ? after : TimeSpan.FromMinutes(1);
    }

    public void Dispose() => limiter.Dispose();

    private static string Holder(IPAddress? address) => address switch
    {
        null => "",
        { IsIPv4MappedToIPv6: true } => address.MapToIPv4().ToString(),
        { AddressFamily: AddressFamily.InterNetworkV6 } => Convert.ToHexString(address.GetAddressBytes().AsSpan(0, NetworkOfSix)),
        _ => address.ToString(),
    };
}
