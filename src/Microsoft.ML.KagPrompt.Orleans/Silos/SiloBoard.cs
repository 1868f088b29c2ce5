using System.Diagnostics.CodeAnalysis;

namespace Microsoft.ML.KagPrompt.Orleans.Silos;

/// <summary>
/// What this silo knows of all silos: which models they hold, and how much they have to do; and the choice of one by that.
/// </summary>
/// <remarks>Thread-safe.</remarks>
internal sealed class SiloBoard(TimeProvider time)
{
    private readonly Lock turn = new();
    private readonly Dictionary<SiloAddress, Entry> entries = [];
    private long assignments;

    /// <summary>Takes a silo's word; it is trusted again.</summary>
    public void Report(SiloAddress silo, SiloStatus status)
    {
        lock (turn)
        {
            var entry = EntryFor(silo);
            (entry.Status, entry.Others, entry.SuspectUntil) = (status, Math.Max(0, status.UnderWay - entry.Mine), default);
        }
    }

    /// <summary>A silo that did not answer is left out for a while, unless it answers again.</summary>
    public void Suspect(SiloAddress silo, TimeSpan span)
    {
        lock (turn)
        {
            if (entries.TryGetValue(silo, out var entry))
            {
                entry.SuspectUntil = time.GetUtcNow() + span;
            }
        }
    }

    /// <summary>Forgets silos that are gone, and tells those who wait for them.</summary>
    public void Keep(IReadOnlyCollection<SiloAddress> active)
    {
        lock (turn)
        {
            foreach (var gone in entries.Keys.Where(silo => !active.Contains(silo)).ToArray())
            {
                entries[gone].Gone.TrySetResult();
                entries.Remove(gone);
            }
        }
    }

    /// <summary>
    /// Takes a silo of those whose model of the product is warm: of the ones with the least work, or one picture more, that which was asked
    /// longest ago. What others have under way is as old as their last word, so that a picture's difference says nothing, and the
    /// quickest to answer would have half of all. The work is given back by <see cref="Done"/>.
    /// </summary>
    /// <param name="product">The product.</param>
    /// <param name="version">Null: any.</param>
    /// <param name="tried">Not these.</param>
    /// <param name="silo">The choice.</param>
    public bool TryTake(string product, string? version, IReadOnlySet<SiloAddress> tried, [NotNullWhen(true)] out SiloAddress? silo)
    {
        lock (turn)
        {
            var now = time.GetUtcNow();
            var able = entries.Where(each
                => !tried.Contains(each.Key) && each.Value.SuspectUntil <= now && each.Value.IsWarm(product, version)).ToArray();
            if (able.Length == 0)
            {
                silo = null;
                return false;
            }

            var least = able.Min(each => each.Value.UnderWay);
            silo = able.Where(each => each.Value.UnderWay <= least + 1).MinBy(each => each.Value.Assigned).Key;

            var entry = entries[silo];
            (entry.Mine, entry.Assigned) = (entry.Mine + 1, ++assignments);
            return true;
        }
    }

    /// <summary>Ends when a silo is declared dead, at once where it is.</summary>
    public Task GoneAsync(SiloAddress silo)
    {
        lock (turn)
        {
            return entries.TryGetValue(silo, out var entry) ? entry.Gone.Task : Task.CompletedTask;
        }
    }

    /// <summary>What was taken is done, or given up.</summary>
    public void Done(SiloAddress silo)
    {
        lock (turn)
        {
            if (entries.TryGetValue(silo, out var entry) && entry.Mine > 0)
            {
                entry.Mine--;
            }
        }
    }

    /// <summary>Which silos said so, warm or not.</summary>
    public IReadOnlyDictionary<SiloAddress, SiloStatus> Statuses()
    {
        lock (turn)
        {
            return entries.Where(each => each.Value.Status is not null).ToDictionary(each => each.Key, each => each.Value.Status!);
        }
    }

    private Entry EntryFor(SiloAddress silo)
    {
        if (!entries.TryGetValue(silo, out var entry))
        {
            entries.Add(silo, entry = new());
        }

        return entry;
    }

    private sealed class Entry
    {
        public SiloStatus? Status { get; set; }

        /// <summary>Under way there, of this silo's lines.</summary>
        public int Mine { get; set; }

        /// <summary>Under way there of other silos' lines, when it last said.</summary>
        public int Others { get; set; }

        public int UnderWay => Mine + Others;

        public long Assigned { get; set; }

        public DateTimeOffset SuspectUntil { get; set; }

        public TaskCompletionSource Gone { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool IsWarm(string product, string? version) => Status?.Models
            .Any(model => model.Product == product && model.Version is not null && (version is null || model.Version == version)) == true;
    }
}
