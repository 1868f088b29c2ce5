using System.Diagnostics;

namespace Microsoft.ML.KagPrompt.Benchmarks.Bars;

/// <summary>What a process took.</summary>
/// <param name="Seconds">From before it was started to its end.</param>
/// <param name="Megabytes">The most memory that was resident, as seen every few milliseconds.</param>
internal readonly record struct ProcessCost(double Seconds, double Megabytes);

/// <summary>Programs in processes of their own: what happens once a process is measured so.</summary>
internal static class OwnProcess
{
    private const int Look = 10;

    /// <summary>This program again.</summary>
    public static ProcessCost Run(params string[] arguments)
    {
        var program = Environment.ProcessPath!;
        // Started by "dotnet PROGRAM.dll", or by the program's own host.
        return Path.GetFileNameWithoutExtension(program) == "dotnet" ? Run(program, [typeof(OwnProcess).Assembly.Location, .. arguments])
            : Run(program, arguments);
    }

    /// <summary>Its output is not this one's.</summary>
    /// <exception cref="InvalidOperationException">It ended with another exit code than these.</exception>
    public static ProcessCost Run(string program, string[] arguments, params int[] exitCodes)
    {
        var started = Stopwatch.GetTimestamp();
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        var peak = 0L;
        while (!process.WaitForExit(Look))
        {
            process.Refresh();
            peak = Math.Max(peak, Peak(process));
        }

        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        return (exitCodes is [] ? [0] : exitCodes).Contains(process.ExitCode) ? new(seconds, peak / 1e6)
            : throw new InvalidOperationException($"{program} {arguments[0]} ended with exit code {process.ExitCode}: {error.Result}{output.Result}");
    }

    /// <summary>The most of several runs' memory, the least of their times: what else the machine does only adds to them.</summary>
    public static ProcessCost Best(int runs, Func<ProcessCost> run)
    {
        ProcessCost[] costs = [.. Enumerable.Range(0, runs).Select(_ => run())];
        return new(costs.Min(cost => cost.Seconds), costs.Max(cost => cost.Megabytes));
    }

    private static long Peak(Process process)
    {
        try
        {
            return process.PeakWorkingSet64;
        }
        catch (InvalidOperationException)
        {
            // It ended meanwhile.
            return 0;
        }
    }
}
