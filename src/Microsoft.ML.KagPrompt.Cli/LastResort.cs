using System.CommandLine;

namespace Microsoft.ML.KagPrompt.Cli;

/// <summary>
/// What becomes of exceptions: a line on the error stream and an exit code. Where they came from is shown with --debug alone.
/// </summary>
internal static class LastResort
{
    /// <summary>Of every command.</summary>
    public static readonly Option<bool> Debug = new("--debug")
    {
        Description = "Show where in the program an error came from.",
        Recursive = true,
    };

    /// <summary>Also on threads that no command waits for.</summary>
    public static void Install(bool debug) => AppDomain.CurrentDomain.UnhandledException += (_, happened) =>
    {
        if (happened.ExceptionObject is Exception fault)
        {
            Environment.Exit(Unexpected(fault, debug));
        }
    };

    /// <summary>Tells of an error that the user can mend, in its own words and the command line's.</summary>
    public static int BadInput(Exception fault, Verb command, bool debug)
    {
        // .NET's addition names a parameter of the program, which means nothing to who uses it.
        var message = fault is ArgumentException { ParamName: { } name }
            ? fault.Message.Replace($" (Parameter '{name}')", "", StringComparison.Ordinal)
            : fault.Message;
        message = LibraryWords.WithOptions(message, command);
        Console.Error.WriteLine(debug ? $"{message}{Environment.NewLine}{fault}" : message);
        return ExitCode.BadInput;
    }

    /// <summary>Tells of any other.</summary>
    public static int Unexpected(Exception fault, bool debug)
    {
        while (fault is AggregateException or System.Reflection.TargetInvocationException or TypeInitializationException
            && fault.InnerException is { } cause)
        {
            fault = cause;
        }

        // The native library's messages go on with its own stack.
        var line = fault.Message.Split('\n')[0].Trim();
        Console.Error.WriteLine(debug
            ? $"Unexpected: {fault}"
            : $"Unexpected {fault.GetType().Name}: {line} Run it again with --debug to see where.");
        return ExitCode.Unexpected;
    }
}
