namespace Microsoft.ML.KagPrompt.Datasets;

/// <summary>Where a path leads when all links on it are followed.</summary>
internal static class RealPath
{
    private const int MostLinks = 40;

    public static bool IsLink(string path) => Target(path) is not null;

    /// <summary>The path without links; one in which links lead in circles stays as it is.</summary>
    public static string Resolve(string path)
    {
        var (whole, links) = (Path.GetFullPath(path), 0);
        var root = Path.GetPathRoot(whole)!;
        var (real, rest) = (root, new Stack<string>(Parts(whole[root.Length..])));
        while (rest.TryPop(out var part))
        {
            var next = Path.Combine(real, part);
            if (Target(next) is not { } target)
            {
                real = next;
                continue;
            }

            if (++links > MostLinks)
            {
                return whole;
            }

            var leads = Path.GetFullPath(target, real);
            real = Path.GetPathRoot(leads)!;
            foreach (var again in Parts(leads[real.Length..]))
            {
                rest.Push(again);
            }
        }

        return real;
    }

    /// <summary>Last part first.</summary>
    private static IEnumerable<string> Parts(string path)
        => path.Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries).Reverse();

    private static string? Target(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
