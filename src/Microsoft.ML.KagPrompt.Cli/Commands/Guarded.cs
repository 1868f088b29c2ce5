using System.CommandLine;
using System.CommandLine.Parsing;
using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt.Cli.Commands;

/// <summary>Runs a command; whatever goes wrong becomes one line on the error stream and an exit code.</summary>
internal static class Guarded
{
    public static void SetGuardedAction(this Verb command, Action<ParseResult, CancellationToken> action)
        => command.SetGuardedAction((parsed, cancellation) =>
    {
        action(parsed, cancellation);
        return ExitCode.Success;
    });

    /// <summary>The same, where the action tells the exit code.</summary>
    public static void SetGuardedAction(this Verb command, Func<ParseResult, CancellationToken, int> action)
        => command.SetAction((parsed, cancellation) => Task.Run(() =>
    {
        try
        {
            return action(parsed, cancellation);
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine("Cancelled.");
            return ExitCode.Cancelled;
        }
        catch (Exception fault) when (fault is KagPromptException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            return LastResort.BadInput(fault, parsed.CommandResult.Command, parsed.GetValue(LastResort.Debug));
        }
        catch (Exception fault)
        {
            return LastResort.Unexpected(fault, parsed.GetValue(LastResort.Debug));
        }
    }));

    /// <summary>A rule that holds between options. Where the value of one is wrong, that is said by the option, and by no rule.</summary>
    public static void AddRule(this Verb command, Action<CommandResult> rule) => command.Validators.Add(result =>
    {
        try
        {
            rule(result);
        }
        catch (InvalidOperationException) when (result.Children.Any(child => child.Errors.Any()))
        {
            // What System.CommandLine throws where a value is asked for that could not be read; its error is told in any case.
        }
    });
}
