using System.Text.Json;

namespace Microsoft.ML.KagPrompt.Soak;

/// <summary>What was counted, from several threads.</summary>
internal sealed class Totals
{
    private const int MostShown = 60;

    private readonly Lock gate = new();
    private readonly SortedDictionary<string, double> figures = [];
    private int shown;

    public void Add(long mutations = 0, long escaped = 0, long timeouts = 0, long overMemory = 0, long processDeaths = 0, long kills = 0,
        long lostFiles = 0, long resumeMismatches = 0, long flips = 0, long flipsAccepted = 0, long images = 0,
        long outages = 0, long results = 0, long lostResults = 0, long repeatedResults = 0)
    {
        lock (gate)
        {
            (string, long)[] all =
            [
                ("mutations", mutations), ("escaped_exceptions", escaped), ("timeouts", timeouts), ("over_memory", overMemory),
                ("process_deaths", processDeaths), ("kills", kills), ("lost_files", lostFiles), ("resume_mismatches", resumeMismatches),
                ("flips", flips), ("flips_accepted", flipsAccepted), ("images", images),
                ("outages", outages), ("results", results), ("lost_results", lostResults), ("repeated_results", repeatedResults),
            ];
            foreach (var (name, value) in all)
            {
                figures[name] = figures.GetValueOrDefault(name) + value;
            }
        }
    }

    /// <summary>Share by which memory grew after the warm-up: the largest of the ways that were tried.</summary>
    /// <param name="of">Which memory: "rss", what is resident; "held", what is in use of it.</param>
    /// <param name="growth">The share.</param>
    public void AddGrowth(string of, double growth)
    {
        lock (gate)
        {
            figures[$"{of}_growth"] = Math.Max(figures.GetValueOrDefault($"{of}_growth", double.NegativeInfinity), Math.Round(growth, 4));
        }
    }

    /// <summary>A figure that is measured once.</summary>
    public void Set(string name, double value)
    {
        lock (gate)
        {
            figures[name] = value;
        }
    }

    /// <summary>Whether everything that must be 0 is, and memory stayed where it was.</summary>
    public bool Holds(double mostGrowth) => figures.GetValueOrDefault("rss_growth") <= mostGrowth
        && figures.GetValueOrDefault("held_growth") <= mostGrowth
        && new[] { "escaped_exceptions", "timeouts", "over_memory", "process_deaths", "lost_files", "resume_mismatches", "flips_accepted", "service_wrong",
                "lost_results", "repeated_results", "plant_lost", "plant_wrong", "plant_miscounted", "plant_unequal" }
            .All(name => figures.GetValueOrDefault(name) == 0);

    /// <summary>To the error stream: the output is the figures alone.</summary>
    public void Say(string text)
    {
        lock (gate)
        {
            if (shown++ < MostShown)
            {
                Console.Error.WriteLine(text.Length <= 1500 ? text : text[..1500] + "…");
            }
        }
    }

    public string ToJson()
    {
        lock (gate)
        {
            return JsonSerializer.Serialize(figures);
        }
    }
}
