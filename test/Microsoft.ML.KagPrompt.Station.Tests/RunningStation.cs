using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Microsoft.ML.KagPrompt.Station.Tests;

/// <summary>The station as its users start it: a process of its own, with a data folder of its own.</summary>
public sealed class RunningStation : IAsyncDisposable
{
    private readonly ConcurrentQueue<string> said = new();
    private readonly TaskCompletionSource<string> address = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly bool ownsData;
    private readonly Process process;

    private RunningStation(string data, bool ownsData, string[] arguments)
    {
        (Data, this.ownsData) = (data, ownsData);
        var start = new ProcessStartInfo("dotnet", [Program, "--data", data, "--urls", "http://127.0.0.1:0", .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["OMP_NUM_THREADS"] = "1";
        process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => Hear(line.Data);
        process.ErrorDataReceived += (_, line) => Hear(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public static string Root { get; } = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Here())!, "..", ".."));

    /// <summary>The last path's folders are configuration and framework, as this test's own.</summary>
    public static string Program { get; } = Path.Combine(Root, "src", "Microsoft.ML.KagPrompt.Station", "bin",
        new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name, new DirectoryInfo(AppContext.BaseDirectory).Name,
            "Microsoft.ML.KagPrompt.Station.dll");

    public string Data { get; }

    public Uri Address => new(address.Task.Result);

    /// <summary>All that it printed.</summary>
    public string Said => string.Join('\n', said);

    /// <summary>What it told at its first start.</summary>
    public string OneTimePassword => Regex.Match(Said, "One-time password[^:]*: (\\S+)").Groups[1].Value;

    /// <summary>Starts one and does not wait until it listens.</summary>
    public static RunningStation Begin(string data, params string[] arguments) => new(data, ownsData: false, arguments);

    public static async Task<RunningStation> StartAsync(string? data = null, params string[] arguments)
    {
        var station = new RunningStation(data ?? Directory.CreateTempSubdirectory("kagprompt-station-").FullName, data is null, arguments);
        var ended = station.process.WaitForExitAsync();
        if (await Task.WhenAny(station.address.Task, ended).WaitAsync(TimeSpan.FromMinutes(3)) == ended)
        {
            throw new InvalidOperationException($"The station ended with {station.process.ExitCode}:\n{station.Said}");
        }

        return station;
    }

    /// <summary>As a power cut would.</summary>
    public async Task KillAsync()
    {
        process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            await KillAsync();
        }

        process.Dispose();
        if (ownsData)
        {
            Directory.Delete(Data, recursive: true);
        }
    }

    private static string Here([CallerFilePath] string path = "") => path;

    private void Hear(string? line)
    {
        if (line is null)
        {
            return;
        }

        said.Enqueue(line);
        if (Regex.Match(line, "listens on (http://[^, ]+)") is { Success: true } found)
        {
            address.TrySetResult(found.Groups[1].Value);
        }
    }
}
