using System.CommandLine;

namespace Microsoft.ML.KagPrompt.Cli.Commands;

/// <summary>--roi FILE, --roi CLASS=FILE: what of the images is inspected.</summary>
internal static class RegionOption
{
    public static Option<string[]> Create() => new("--roi")
    {
        Description = "What of the images is inspected: a picture (white is, black is not) or JSON with polygons. "
            + "FILE for the only class; CLASS=FILE, several times, for several.",
        AllowMultipleArgumentsPerToken = true,
    };

    /// <summary>The files' regions by class.</summary>
    /// <param name="given">As typed.</param>
    /// <param name="classNames">The classes of the images.</param>
    /// <exception cref="ArgumentException">A file alone with several classes, or a class twice.</exception>
    public static IReadOnlyDictionary<string, InspectionRegion> Read(string[]? given, IEnumerable<string> classNames)
    {
        var known = classNames.Distinct().Order(StringComparer.Ordinal).ToArray();
        var regions = new Dictionary<string, InspectionRegion>();
        foreach (var one in given ?? [])
        {
            var (name, file) = Parts(one, known);
            if (!regions.TryAdd(name, RegionFile.Read(file)))
            {
                throw new ArgumentException($"--roi: expected one file a class, got several for '{name}'.");
            }
        }

        return regions;
    }

    /// <summary>A class's name is known; a file's may hold the same sign.</summary>
    private static (string Name, string File) Parts(string given, string[] known)
    {
        if (known.Where(name => given.StartsWith(name + "=", StringComparison.Ordinal)).MaxBy(name => name.Length) is { } named)
        {
            return (named, given[(named.Length + 1)..]);
        }

        var classes = string.Join(", ", known.Take(20).Select(name => $"'{name}'"));
        if (given.Contains('=', StringComparison.Ordinal) && !File.Exists(given))
        {
            throw new ArgumentException($"--roi: expected a class of the images ({classes}) before the sign '=', got '{given}'.");
        }

        return known.Length == 1 ? (known[0], given)
            : throw new ArgumentException($"--roi: expected CLASS=FILE, as there are several classes ({classes}), got '{given}'.");
    }
}
