using System.CommandLine;
using System.CommandLine.Parsing;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Cli;

/// <summary>What is wrong with a command line, alone, and where the right one is described.</summary>
internal static class UsageErrors
{
    private const int Most = 5;

    /// <summary>Nothing where the command line is right.</summary>
    public static IReadOnlyList<string> Find(ParseResult parsed)
    {
        var errors = parsed.Errors.Select(error => error.Message.ReplaceLineEndings(" ").Trim()).Distinct().ToList();
        // No command was found because there is none of that name: one of the two says it.
        if (errors.Count > 1 && parsed.CommandResult.Command is RootCommand)
        {
            errors.RemoveAt(0);
        }

        if (errors.Count == 0 && parsed.Action is not System.CommandLine.Help.HelpAction)
        {
            errors.AddRange(Misspelt(parsed).Select(option => $"Unrecognized option '{option}'."));
        }

        return errors;
    }

    /// <summary>Writes them.</summary>
    public static int Tell(ParseResult parsed, IReadOnlyList<string> errors)
    {
        foreach (var error in errors.Take(Most))
        {
            Console.Error.WriteLine(error);
        }

        var command = parsed.CommandResult.Command is RootCommand ? "kagprompt" : $"kagprompt {parsed.CommandResult.Command.Name}";
        Console.Error.WriteLine($"See '{command} --help'.");
        return ExitCode.Usage;
    }

    /// <summary>
    /// Options that no command knows are taken for what comes between options, such as images: they are told from files by there being none
    /// of that name.
    /// </summary>
    private static IEnumerable<string> Misspelt(ParseResult parsed) => parsed.Tokens.TakeWhile(token => token.Type != TokenType.DoubleDash)
        .Where(token => token.Type == TokenType.Argument && token.Value.Length > 2 && token.Value.StartsWith("--",
            StringComparison.Ordinal) && !Path.Exists(token.Value))
            .Select(token => token.Value);
}
