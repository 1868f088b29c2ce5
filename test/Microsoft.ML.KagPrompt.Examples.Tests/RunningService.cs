using System.Diagnostics;
using System.Text.RegularExpressions;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Examples.Tests;

/// <summary>The scoring service as a process, on a free port of the loopback.</summary>
internal sealed partial class RunningService : IDisposable
{
    private RunningService(Process process, string address) => (Process, Address) = (process, address);

    public Process Process { get; }

    public string Address { get; }

    /// <summary>Starts it and waits until it listens.</summary>
    public static RunningService Start(string model, params string[] arguments) => Listen(["--model", model, .. arguments]);

    /// <summary>The same of a registry's models.</summary>
    public static RunningService Follow(string registry) => Listen(["--registry", registry]);

    private static RunningService Listen(string[] arguments)
    {
        var process = Example.Start("ScoringService", ["--port", "0", .. arguments]);
        var output = new List<string>();
        while (process.StandardOutput.ReadLine() is { } line)
        {
            output.Add(line);
            if (Listening().Match(line) is { Success: true } match)
            {
                // A full pipe would stop the service: read on, whatever it says.
                _ = process.StandardOutput.ReadToEndAsync();
                _ = process.StandardError.ReadToEndAsync();
                return new(process, match.Groups[1].Value);
            }
        }

        throw new InvalidOperationException($"The service did not start: {string.Join('\n', output)} {process.StandardError.ReadToEnd()}");
    }

    public void Dispose()
    {
        Process.Kill();
        Process.WaitForExit();
        Process.Dispose();
    }

    [GeneratedRegex(@"Now listening on: (http://127\.0\.0\.1:\d+)")]
    private static partial Regex Listening();
}
