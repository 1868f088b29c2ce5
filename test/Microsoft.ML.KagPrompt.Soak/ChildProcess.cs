using System.Diagnostics;

namespace Microsoft.ML.KagPrompt.Soak;

/// <summary>This program again, in a process of its own.</summary>
internal static class ChildProcess
{
    /// <param name="arguments">What it is to do.</param>
    /// <param name="line">Told of every line it prints.</param>
    public static Process Start(string[] arguments, Action<string> line)
    {
        var start = new ProcessStartInfo("dotnet", ["exec", typeof(ChildProcess).Assembly.Location, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, e) => Tell(e.Data);
        // What a crash says at length is said by its exit code.
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;

        void Tell(string? text)
        {
            if (text is { Length: > 0 })
            {
                line(text);
            }
        }
    }
}
