using System.Security.Cryptography;

namespace Microsoft.ML.KagPrompt.Soak;

/// <summary>Processes that are killed at random moments while they save, and while they train.</summary>
internal static class Kills
{
    private const string Ready = "ready";
    private const int MostMilliseconds = 1500;

    public static void Run(Totals totals, int seed, long count)
    {
        var random = new Random(seed);
        var folder = Directory.CreateTempSubdirectory("kagprompt-soak-").FullName;
        try
        {
            Saving(totals, random, folder, count / 2);
            Training(totals, random, folder, count - (count / 2));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Saves one model over itself until it is killed.</summary>
    public static int SavingChild(string path)
    {
        var ml = new MLContext(seed: 1);
        var model = ml.Model.Load(new MemoryStream(Flips.Current(ml)), out var schema);
        for (var i = 0; ; i++)
        {
            ml.Model.SaveAtomic(model, schema, path);
            if (i == 0)
            {
                Console.WriteLine(Ready);
            }
        }
    }

    /// <summary>Trains to its end, going on from what an earlier one left; tells the hash of the model.</summary>
    public static int TrainingChild(string folder)
    {
        var options = new InspectionOptions
        {
            Backbone = new() { Name = "compact" },
            Images = new() { Size = 56 },
            Method = new KagOptions
            {
                Prompt = new() { FromScratch = true },
                Training = new() { Epochs = 4, CheckpointFolder = folder, CheckpointInterval = TimeSpan.FromMilliseconds(300) },
            },
            Device = "cpu",
            Seed = 1,
        };
        using var model = KagPromptTrainer.Fit(Enumerable.Range(0, 4).Select(i => new TrainingImage { Image = Parts.Picture(56, i) }), options,
            progress: new Steps());
        using var saved = new MemoryStream();
        model.Save(saved);
        Console.WriteLine($"hash {Convert.ToHexString(SHA256.HashData(saved.ToArray()))}");
        return 0;
    }

    private static void Saving(Totals totals, Random random, string folder, long count)
    {
        var (ml, path) = (new MLContext(seed: 1), Path.Combine(folder, "model.zip"));
        for (var i = 0L; i < count; i++)
        {
            var (killed, lines) = KillOrEnd(["save", path], random.Next(MostMilliseconds));
            totals.Add(kills: killed ? 1 : 0, processDeaths: killed ? 0 : 1);
            try
            {
                (ml.Model.Load(path, out _) as IDisposable)?.Dispose();
            }
            catch (Exception fault)
            {
                totals.Add(lostFiles: 1);
                totals.Say($"after a kill the model does not load: {fault.Message}");
            }
        }
    }

    private static void Training(Totals totals, Random random, string folder, long count)
    {
        string Hash(List<string> lines) => lines.LastOrDefault(line => line.StartsWith("hash ", StringComparison.Ordinal)) ?? "none";
        var whole = Hash(KillOrEnd(["train", Path.Combine(folder, "whole")], null).Lines);
        for (var (kills, run) = (0L, 0); kills < count || run == 0; run++)
        {
            var mine = Path.Combine(folder, $"run{run}");
            while (true)
            {
                // When all kills are made, the last training comes to its end.
                var (killed, lines) = KillOrEnd(["train", mine], kills < count ? random.Next(MostMilliseconds) : null);
                if (killed)
                {
                    kills++;
                    totals.Add(kills: 1);
                    continue;
                }

                if (Hash(lines) != whole || whole == "none")
                {
                    totals.Add(resumeMismatches: 1);
                    totals.Say($"run {run}: {Hash(lines)} instead of {whole}: {string.Join(" | ", lines.TakeLast(5))}");
                }

                break;
            }
        }
    }

    /// <summary>Kills a child some time after it said that it is under way, or lets it end.</summary>
    private static (bool Killed, List<string> Lines) KillOrEnd(string[] arguments, int? after)
    {
        var (lines, ready) = (new List<string>(), new ManualResetEventSlim());
        using var child = ChildProcess.Start(arguments, line =>
        {
            lock (lines)
            {
                lines.Add(line);
            }

            if (line == Ready)
            {
                ready.Set();
            }
        });
        while (!ready.Wait(50) && !child.HasExited)
        {
        }

        var killed = after is { } time && !child.WaitForExit(time);
        if (killed)
        {
            child.Kill();
        }

        child.WaitForExit();
        lock (lines)
        {
            return (killed, [.. lines]);
        }
    }

    private sealed class Steps : IProgress<TrainingProgress>
    {
        private bool told;

        public void Report(TrainingProgress value)
        {
            if (value.Epoch > 0 && !told)
            {
                told = true;
                Console.WriteLine(Ready);
            }
        }
    }
}
