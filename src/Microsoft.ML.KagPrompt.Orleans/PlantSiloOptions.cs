using System.Net;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Results.Database;

namespace Microsoft.ML.KagPrompt.Orleans;

/// <summary>What one machine of a plant needs to know.</summary>
/// <remarks>Read once, when the services are made.</remarks>
public sealed class PlantSiloOptions
{
    /// <summary>
    /// A connection string of Npgsql: silos find one another there, and lines are kept there. Null: for trying, on one machine alone;
    /// then lines are forgotten with the silo that holds them, and the silo at <see cref="PrimarySiloPort"/> must live.
    /// </summary>
    public string? PostgresConnectionString { get; set; }

    /// <summary>The plant's name; silos and clients of one plant share it.</summary>
    public string ClusterId { get; set; } = "plant";

    /// <summary>What lines are kept under: stays the same where <see cref="ClusterId"/> changes.</summary>
    public string ServiceId { get; set; } = "plant";

    /// <summary>The silo's name in results and figures, 1 to 100 characters; null: the machine's name and the port.</summary>
    public string? SiloName { get; set; }

    /// <summary>The address that the other machines reach this one by; null: found out. Unused without PostgreSQL.</summary>
    public IPAddress? Address { get; set; }

    /// <summary>The port between silos, 1 to 65,535.</summary>
    public int SiloPort { get; set; } = 11111;

    /// <summary>The port for clients, 1 to 65,535.</summary>
    public int GatewayPort { get; set; } = 30000;

    /// <summary>Without PostgreSQL: the port of the silo that the others ask who is there.</summary>
    public int PrimarySiloPort { get; set; } = 11111;

    /// <summary>The folder of pictures that all machines share; null: an <see cref="IPictureStore"/> is among the services.</summary>
    public string? PictureFolder { get; set; }

    /// <summary>Whether pictures and maps are kept with results on this silo, as the Results package's options say.</summary>
    public bool KeepPictures { get; set; } = true;

    /// <summary>How long an answer waits to be in the database before it is given all the same, 0 to 1 min.</summary>
    public TimeSpan StoredWithin { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a line waits for a silo before it asks another, 0.1 s to 10 min.</summary>
    public TimeSpan WorkTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>After how long a silo that does not answer counts as dead, 0.3 s to 10 min.</summary>
    public TimeSpan DeadAfter { get; set; } = TimeSpan.FromSeconds(6);

    /// <summary>How often silos ask one another what they hold and have to do, 50 ms to 1 min.</summary>
    public TimeSpan StatusInterval { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How often a line's figures are kept, 0.1 s to 1 h. Settings are kept at once.</summary>
    public TimeSpan SaveInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How many of its last answers a line knows without asking the database, 0 to 1,000,000.</summary>
    public int RememberedAnswers { get; set; } = 1000;

    internal string Name => SiloName ?? FormattableString.Invariant($"{Environment.MachineName}-{SiloPort}");

    /// <summary>Checks every value.</summary>
    /// <exception cref="ArgumentException">Names every invalid value in one message.</exception>
    public void Validate() => new OptionFaults()
        // What was given is not shown: there may be a password in it.
        .Require(PostgresText.FaultOf(PostgresConnectionString) is null, nameof(PostgresConnectionString), PostgresText.Expected,
            PostgresText.FaultOf(PostgresConnectionString))
        .Require(PlantName.Is(ClusterId, 100), nameof(ClusterId), PlantName.Expected(100), ClusterId)
        .Require(PlantName.Is(ServiceId, 100), nameof(ServiceId), PlantName.Expected(100), ServiceId)
        .Require(PlantName.Is(Name, 100), nameof(SiloName), PlantName.Expected(100), SiloName)
        .Require(SiloPort is >= 1 and <= 65535, nameof(SiloPort), "1 to 65535", SiloPort)
        .Require(GatewayPort is >= 1 and <= 65535, nameof(GatewayPort), "1 to 65535", GatewayPort)
        .Require(PrimarySiloPort is >= 1 and <= 65535, nameof(PrimarySiloPort), "1 to 65535", PrimarySiloPort)
        .Require(PictureFolder is null || PictureFolder.Trim().Length > 0, nameof(PictureFolder), "a folder, or null", PictureFolder)
        .Require(StoredWithin >= TimeSpan.Zero && StoredWithin <= TimeSpan.FromMinutes(1), nameof(StoredWithin), "0 to 1 min", StoredWithin)
        .Require(WorkTimeout >= TimeSpan.FromSeconds(0.1) && WorkTimeout <= TimeSpan.FromMinutes(10), nameof(WorkTimeout),
            "0.1 s to 10 min", WorkTimeout)
        .Require(DeadAfter >= TimeSpan.FromSeconds(0.3) && DeadAfter <= TimeSpan.FromMinutes(10), nameof(DeadAfter),
            "0.3 s to 10 min", DeadAfter)
        .Require(StatusInterval >= TimeSpan.FromMilliseconds(50) && StatusInterval <= TimeSpan.FromMinutes(1), nameof(StatusInterval),
            "50 ms to 1 min", StatusInterval)
        .Require(SaveInterval >= TimeSpan.FromSeconds(0.1) && SaveInterval <= TimeSpan.FromHours(1), nameof(SaveInterval),
            "0.1 s to 1 h", SaveInterval)
        .Require(RememberedAnswers is >= 0 and <= 1_000_000, nameof(RememberedAnswers), "0 to 1000000", RememberedAnswers)
        .ThrowIfAny(nameof(PlantSiloOptions));
}
