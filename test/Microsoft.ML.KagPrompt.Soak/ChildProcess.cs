using System.Diagnostics;

namespace Microsoft.ML.KagPrompt.Soak;

/// <summary>This program again, in a process of its own.</summary>
internal static class ChildProcess
{
    /// <param name="arguments">What it is to do.</param>
    /// <param name="line">Told of every line it prints.</param>
    /// <param name="defaults">Variables of its environment where it has none of that name.</param>
    public static Process Start(string[] arguments, Action<string> line, params (string Name, string Value)[] defaults)
    {
        var start = new ProcessStartInfo("dotnet", ["exec", typeof(ChildProcess).Assembly.Location, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in defaults)
        {
            start.Environment.TryAdd(name, value);
        }

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
