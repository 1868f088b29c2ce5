using System.Diagnostics;
using System.Globalization;

namespace Plant;

/// <summary>A silo in a process of its own.</summary>
internal sealed class SiloProcess : IDisposable
{
    private readonly Process process;

    private SiloProcess(Process process) => this.process = process;

    /// <summary>Of the processor, so far.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            process.Refresh();
            return process.TotalProcessorTime;
        }
    }

    /// <summary>Megabytes of memory that it has now.</summary>
    public double Megabytes
    {
        get
        {
            process.Refresh();
            return process.WorkingSet64 / 1e6;
        }
    }

    /// <exception cref="InvalidOperationException">It ended instead.</exception>
    public static async Task<SiloProcess> StartAsync(int number, string folder, int siloPort, int gatewayPort, string? postgres)
    {
        var start = new ProcessStartInfo("dotnet", ["exec", typeof(SiloProcess).Assembly.Location, "silo", Text(number), folder, Text(siloPort),
            Text(gatewayPort), postgres ?? "-"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        var process = Process.Start(start)!;
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (line == SiloProgram.Ready)
            {
                // Its errors are read on, or it would wait for a reader.
                _ = Task.Run(async () =>
                {
                    while (await process.StandardOutput.ReadLineAsync() is { } further)
                    {
                        await Console.Error.WriteLineAsync($"silo-{number}: {further}");
                    }
                });
                return new(process);
            }

            await Console.Error.WriteLineAsync($"silo-{number}: {line}");
        }

        throw new InvalidOperationException($"silo-{number} ended before it was ready.");
    }

    /// <summary>Lets it stop in order.</summary>
    public async Task StopAsync()
    {
        process.StandardInput.Close();
        await process.WaitForExitAsync();
    }

    public void Dispose()
    {
        if (!process.HasExited)
        {
            process.Kill();
        }

        process.Dispose();
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
