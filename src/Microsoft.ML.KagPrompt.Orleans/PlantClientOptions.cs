using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Results.Database;

namespace Microsoft.ML.KagPrompt.Orleans;

/// <summary>What a client of a plant needs to know.</summary>
/// <remarks>Read once, when the services are made.</remarks>
public sealed class PlantClientOptions
{
    /// <summary>The connection string of the silos; null: for trying, silos of this machine at <see cref="GatewayPorts"/>.</summary>
    public string? PostgresConnectionString { get; set; }

    /// <summary>The plant's name, as the silos have it.</summary>
    public string ClusterId { get; set; } = "plant";

    /// <summary>As the silos have it.</summary>
    public string ServiceId { get; set; } = "plant";

    /// <summary>Without PostgreSQL: the silos' ports for clients.</summary>
    public IReadOnlyList<int> GatewayPorts { get; set; } = [30000];

    /// <summary>The folder of pictures that all machines share; null: no <see cref="IPictureStore"/> is added.</summary>
    public string? PictureFolder { get; set; }

    /// <summary>
    /// How long one try may take, 0.1 s to 10 min. The next one joins what the line is doing already: nothing is inspected twice by it.
    /// </summary>
    public TimeSpan TryTimeout { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>How long all tries of a call may take together, 0.1 s to 1 h.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// The pause before the second try, 1 ms to 1 min; it doubles, up to 5 s or this where it is more, and varies by chance.
    /// </summary>
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Checks every value.</summary>
    /// <exception cref="ArgumentException">Names every invalid value in one message.</exception>
    public void Validate() => new OptionFaults()
        .Require(PostgresText.FaultOf(PostgresConnectionString) is null, nameof(PostgresConnectionString), PostgresText.Expected,
            PostgresText.FaultOf(PostgresConnectionString))
        .Require(PlantName.Is(ClusterId, 100), nameof(ClusterId), PlantName.Expected(100), ClusterId)
        .Require(PlantName.Is(ServiceId, 100), nameof(ServiceId), PlantName.Expected(100), ServiceId)
        .Require(GatewayPorts is { Count: > 0 } && GatewayPorts.All(port => port is >= 1 and <= 65535), nameof(GatewayPorts),
            "at least one port, each 1 to 65535", string.Join(", ", GatewayPorts ?? []))
        .Require(PictureFolder is null || PictureFolder.Trim().Length > 0, nameof(PictureFolder), "a folder, or null", PictureFolder)
        .Require(TryTimeout >= TimeSpan.FromSeconds(0.1) && TryTimeout <= TimeSpan.FromMinutes(10), nameof(TryTimeout),
            "0.1 s to 10 min", TryTimeout)
        .Require(Timeout >= TimeSpan.FromSeconds(0.1) && Timeout <= TimeSpan.FromHours(1), nameof(Timeout), "0.1 s to 1 h", Timeout)
        .Require(RetryDelay >= TimeSpan.FromMilliseconds(1) && RetryDelay <= TimeSpan.FromMinutes(1), nameof(RetryDelay),
            "1 ms to 1 min", RetryDelay)
        .ThrowIfAny(nameof(PlantClientOptions));
}
