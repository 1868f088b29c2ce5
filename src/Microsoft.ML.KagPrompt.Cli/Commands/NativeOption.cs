using System.CommandLine;
using Microsoft.ML.KagPrompt.Cli.Evaluation;

namespace Microsoft.ML.KagPrompt.Cli.Commands;

/// <summary>--native METHOD=FILE: the backbone that a method was published with.</summary>
internal static class NativeOption
{
    private static string Known => string.Join(", ", PaperSystem.All.Select(system => system.Method));

    public static Option<string[]> Create()
    {
        var option = new Option<string[]>("--native")
        {
            Description = "With --table1, METHOD=FILE: also compute a method on a backbone of its own, a file or a directory. "
                + "May be given several times.",
            AllowMultipleArgumentsPerToken = true,
        };
        option.Validators.Add(result =>
        {
            var seen = new HashSet<string>();
            foreach (var token in result.Tokens)
            {
                var (method, file) = Parts(token.Value);
                if (file.Length == 0 || PaperSystem.All.All(system => system.Method != method))
                {
                    result.AddError($"--native: expected METHOD=FILE with a method of {Known}, got '{token.Value}'.");
                }
                else if (!seen.Add(method))
                {
                    result.AddError($"--native: expected one file a method, got several for '{method}'.");
                }
            }
        });
        return option;
    }

    /// <summary>Files by method.</summary>
    /// <exception cref="FileNotFoundException">There is no such file or directory.</exception>
    public static IReadOnlyDictionary<string, string> Read(string[]? given)
    {
        var files = (given ?? []).Select(Parts).ToDictionary(entry => entry.Method, entry => entry.File);
        return files.FirstOrDefault(entry => !Path.Exists(entry.Value)) is { Key: { } method } absent
            ? throw new FileNotFoundException($"There is no file or directory '{absent.Value}', which --native names for {method}.")
            : files;
    }

    private static (string Method, string File) Parts(string given)
        => given.IndexOf('=', StringComparison.Ordinal) is >= 0 and var at ? (given[..at], given[(at + 1)..]) : (given, "");
}
