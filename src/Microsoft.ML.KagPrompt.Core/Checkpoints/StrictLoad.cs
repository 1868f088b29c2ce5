using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Checkpoints;

/// <summary>Whether a checkpoint holds a network's tensors: all of them, and nothing else.</summary>
internal static class StrictLoad
{
    private const int MostListed = 20;

    /// <summary>
    /// As <see cref="Check(IReadOnlyDictionary{string, long[]}, ITensorSource, Func{string, bool})"/>, for what rules say of the
    /// names and shapes in the file.
    /// </summary>
    public static void Check(IEnumerable<WeightRule> rules, ITensorSource source, Func<string, bool>? mayStay = null)
        => Check(rules.SelectMany(rule => rule.Parts).ToDictionary(part => part.Name, part => part.Shape), source, mayStay);

    /// <summary>Compares what a network needs with what a checkpoint says it holds, before anything is read.</summary>
    /// <param name="expected">Shapes by name.</param>
    /// <param name="source">The checkpoint.</param>
    /// <param name="mayStay">The rule that names what the source may hold beyond that.</param>
    /// <exception cref="CheckpointMismatchException">Lists missing, unexpected and mis-shaped names together.</exception>
    public static void Check(IReadOnlyDictionary<string, long[]> expected, ITensorSource source, Func<string, bool>? mayStay = null)
    {
        var missing = expected.Keys.Where(name => !source.Entries.ContainsKey(name)).Order().ToArray();
        var unexpected = source.Entries.Keys.Where(name => !expected.ContainsKey(name) && mayStay?.Invoke(name) != true).Order().ToArray();
        var misshaped = expected
            .Where(entry => source.Entries.TryGetValue(entry.Key, out var info) && !info.Shape.SequenceEqual(entry.Value))
            .Select(entry => $"{entry.Key}: expected [{string.Join(", ", entry.Value)}], "
                + $"got [{string.Join(", ", source.Entries[entry.Key].Shape)}]")
            .Order()
            .ToArray();
        if (missing.Length + unexpected.Length + misshaped.Length > 0)
        {
            throw new CheckpointMismatchException($"{source.Origin} does not hold the weights of this network."
                + List("missing", missing, name => Nearest(name, unexpected))
                + List("unexpected", unexpected, _ => null)
                + List("of another shape", misshaped, _ => null));
        }
    }

    private static string List(string what, string[] names, Func<string, string?> hint)
    {
        if (names.Length == 0)
        {
            return "";
        }

        var shown = names.Take(MostListed).Select(name => hint(name) is { } nearest ? $"{name} (nearest there: {nearest})" : name);
        return $"{Environment.NewLine}  {names.Length} {what}: {string.Join("; ", shown)}{(names.Length > MostListed ? "; …" : "")}";
    }

    /// <summary>The unexpected name that shares the longest beginning and end with the missing one.</summary>
    private static string? Nearest(string name, string[] candidates) => candidates
        .Select(candidate => (Name: candidate, Shared: SharedEnds(name, candidate)))
        .Where(candidate => candidate.Shared >= 4)
        .OrderByDescending(candidate => candidate.Shared)
        .Select(candidate => candidate.Name)
        .FirstOrDefault();

    private static int SharedEnds(string a, string b)
    {
        var most = Math.Min(a.Length, b.Length);
        var head = 0;
        while (head < most && a[head] == b[head])
        {
            head++;
        }

        var tail = 0;
        while (tail < most - head && a[^(tail + 1)] == b[^(tail + 1)])
        {
            tail++;
        }

        return head + tail;
    }
}
