using System.Diagnostics;

namespace Microsoft.ML.KagPrompt.Benchmarks.Bars;

/// <summary>This program again, in a process of its own: what happens once a process is measured so.</summary>
internal static class OwnProcess
{
    /// <summary>Its output is not this one's.</summary>
    public static void Run(string[] arguments)
    {
        var program = Environment.ProcessPath!;
        // Started by "dotnet PROGRAM.dll", or by the program's own host.
        string[] whole = Path.GetFileNameWithoutExtension(program) == "dotnet" ? [typeof(OwnProcess).Assembly.Location, .. arguments] : arguments;
        using var process = Process.Start(new ProcessStartInfo(program, whole) { RedirectStandardOutput = true })!;
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"'{arguments[0]}' ended with exit code {process.ExitCode}.");
        }
    }
}
