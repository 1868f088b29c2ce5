using System.Diagnostics;
using System.Globalization;

namespace Microsoft.ML.KagPrompt.Soak;

/// <summary>The trials in order, whole or in small.</summary>
internal static class Trials
{
    private const int Seed = 1;
    private const double MostGrowth = 0.02;

    /// <summary>Name, how much of it in all, and how much with --quick; of the service in seconds.</summary>
    private static readonly (string Name, long Count, long Quick, Action<Totals, long> Run)[] All =
    [
        ("images", 20_000, 1_800, Scoring.Run),
        ("service", 600, 24, Service.Run),
        ("kills", 200, 6, (totals, count) => Kills.Run(totals, Seed, count)),
        ("flips", 2_000, 100, (totals, count) => Flips.Run(totals, Seed, count)),
        // Seconds.
        ("outages", 30, 6, (totals, count) => Outages.RunAsync(totals, Seed, count).GetAwaiter().GetResult()),
        // Kills of silos.
        ("plant", 20, 3, (totals, count) => Plant.RunAsync(totals, Seed, count).GetAwaiter().GetResult()),
        // Kills of a station.
        ("station", 20, 2, (totals, count) => StationKills.RunAsync(totals, Seed, count).GetAwaiter().GetResult()),
        ("mutations", 1_000_000, 20_000, (totals, count) => Mutations.Run(totals, Seed, count)),
    ];

    public static int Run(string[] arguments)
    {
        var only = Array.IndexOf(arguments, "--only") is >= 0 and var at ? arguments.ElementAtOrDefault(at + 1) : null;
        var count = Array.IndexOf(arguments, "--count") is >= 0 and var place ? long.Parse(arguments[place + 1], CultureInfo.InvariantCulture) : (long?)null;
        if (only is not null && All.All(trial => trial.Name != only))
        {
            Console.Error.WriteLine($"--only: expected one of {string.Join(", ", All.Select(trial => trial.Name))}, got '{only}'.");
            return 2;
        }

        var totals = new Totals();
        foreach (var trial in All.Where(trial => only is null || trial.Name == only))
        {
            var clock = Stopwatch.StartNew();
            trial.Run(totals, count ?? (arguments.Contains("--quick") ? trial.Quick : trial.Count));
            Console.Error.WriteLine(FormattableString.Invariant($"{trial.Name}: {clock.Elapsed.TotalSeconds:0} s"));
        }

        Console.WriteLine(totals.ToJson());
        return totals.Holds(MostGrowth) ? 0 : 1;
    }
}
