using System.Text;

namespace Microsoft.ML.KagPrompt.Cli.Tests;

/// <summary>The console of a process in which several runs of the tool write at once: each to its own.</summary>
internal static class FlowConsole
{
    private static readonly AsyncLocal<(TextWriter Output, TextWriter Error)?> Current = new();
    private static readonly (TextWriter Output, TextWriter Error) Own = (Console.Out, Console.Error);

    static FlowConsole()
    {
        Console.SetOut(new Router(() => (Current.Value ?? Own).Output));
        Console.SetError(new Router(() => (Current.Value ?? Own).Error));
    }

    /// <summary>What a run returns, and what it and the threads it starts write.</summary>
    public static (int Code, string Output, string Error) Capture(Func<int> run)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        // A task, since what is set in it does not outlive it: the culture, and this console.
        var code = Task.Run(() =>
        {
            Current.Value = (TextWriter.Synchronized(output), TextWriter.Synchronized(error));
            return run();
        }).GetAwaiter().GetResult();
        return (code, output.ToString(), error.ToString());
    }

    private sealed class Router(Func<TextWriter> current) : TextWriter
    {
        public override Encoding Encoding => Encoding.UTF8;

        public override void Write(char value) => current().Write(value);

        public override void Write(char[] buffer, int index, int count) => current().Write(buffer, index, count);

        public override void Write(string? value) => current().Write(value);

        public override void WriteLine(string? value) => current().WriteLine(value);
    }
}
