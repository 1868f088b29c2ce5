using System.Text.RegularExpressions;

namespace Microsoft.ML.KagPrompt.Hosting;

/// <summary>Names of products and versions: they become folders, and clients send them.</summary>
internal static partial class SafeName
{
    public const string Expected = "1 to 64 letters, digits, '.', '-' or '_', neither first nor last a dot";

    public static bool Is(string? name) => name is not null && Pattern().IsMatch(name);

    /// <exception cref="ArgumentException">It is none.</exception>
    public static void Require(string? name, string parameter)
    {
        if (!Is(name))
        {
            throw new ArgumentException($"{parameter}: expected {Expected}, got '{name}'.", parameter);
        }
    }

    // Of ASCII alone. Windows drops a dot at the end: two names would be one folder.
    [GeneratedRegex(@"\A(?!\.)[A-Za-z0-9._-]{1,64}(?<!\.)\z")]
    private static partial Regex Pattern();
}
