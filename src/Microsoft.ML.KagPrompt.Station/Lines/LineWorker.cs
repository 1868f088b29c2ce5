using Microsoft.ML.KagPrompt.Hosting;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Results;
using Microsoft.ML.KagPrompt.Station.Storage;
using Microsoft.ML.KagPrompt.Station.Web;

namespace Microsoft.ML.KagPrompt.Station.Lines;

/// <summary>Watches one folder: takes files that are complete, has each inspected once, and moves it away.</summary>
internal sealed class LineWorker(LineRow line, LineState state, string root, InspectionPipeline pipeline, IResultStore store,
    ResultRecorder recorder,
    TimeProvider time, ILogger log)
{
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(400);

    /// <summary>A file that cannot be read may still be written by something slow.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan PauseAfterFault = TimeSpan.FromSeconds(2);

    private Dictionary<string, (long Length, DateTime Changed)> before = [];
    private HashSet<(string Name, long Length, DateTime Changed)> left = [];
    private readonly HashSet<Guid> recorded = [];
    private bool isCaughtUp;

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var pause = Interval;
            try
            {
                if (state.IsPaused)
                {
                    state.Set(LineStatus.Paused);
                }
                else
                {
                    await LookAsync(stop);
                }
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (InspectionRefusedException refusal)
            {
                var isModel = refusal.Reason is RefusalReason.ProductUnknown or RefusalReason.ModelUnavailable;
                state.Set(isModel ? LineStatus.NoModel : LineStatus.Fault, refusal.Message);
                pause = refusal.RetryAfter ?? TimeSpan.FromSeconds(1);
            }
            catch (Exception fault)
            {
                // A disk that is full, a database that is away, a folder that is gone: the file stays, and is tried again.
                log.LogWarning(fault, "line {Line}", line.Name);
                state.Set(LineStatus.Fault, Faults.Say(fault));
                pause = PauseAfterFault;
            }

            await Task.Delay(pause, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task LookAsync(CancellationToken stop)
    {
        if (!isCaughtUp)
        {
            // What was recorded before the last end is known before the first file is judged.
            await recorder.WhenStoredAsync(stop).WaitAsync(TimeSpan.FromMinutes(1), time, stop);
            isCaughtUp = true;
        }

        var folder = WatchedFolder.Resolve(root, line.Folder);
        Directory.CreateDirectory(folder);
        var still = new HashSet<(string, long, DateTime)>();
        var files = WatchedFolder.List(folder, file => left.Contains(KeyOf(file)) && still.Add(KeyOf(file)));
        var complete = files.Where(file => before.TryGetValue(file.Name, out var last) && last == (file.Length, file.LastWriteTimeUtc))
            .ToArray();
        before = files.ToDictionary(file => file.Name, file => (file.Length, file.LastWriteTimeUtc));
        // What was deleted since need not be remembered.
        left = still;
        foreach (var file in complete)
        {
            if (state.IsPaused)
            {
                return;
            }

            state.Set(LineStatus.Working);
            await TakeAsync(file, stop);
        }

        state.Set(LineStatus.Waiting);
    }

    private async Task TakeAsync(FileInfo file, CancellationToken stop)
    {
        var since = time.GetTimestamp();
        if (file.Length > Teaching.PhotoStore.MostBytes)
        {
            Fail(file, Guid.CreateVersion7(), $"{file.Name}: expected at most {Teaching.PhotoStore.MostBytes} bytes, got {file.Length}.");
            return;
        }

        if (File.Exists(file.FullName) && !RegularFile.Is(file.FullName))
        {
            // To open a pipe would wait for ever.
            Fail(file, Guid.CreateVersion7(), $"{file.Name} is no ordinary file.");
            return;
        }

        var seen = KeyOf(file);
        byte[] bytes;
        try
        {
            bytes = await File.ReadAllBytesAsync(file.FullName, stop);
        }
        catch (FileNotFoundException)
        {
            // Somebody took it away.
            return;
        }
        catch (Exception fault) when (fault is UnauthorizedAccessException or (IOException and not DirectoryNotFoundException))
        {
            // The others have their turn.
            if (time.GetUtcNow().UtcDateTime - file.LastWriteTimeUtc > Patience)
            {
                Fail(file, Guid.CreateVersion7(), $"{file.Name}: {fault.Message}");
            }

            return;
        }

        file.Refresh();
        if (!file.Exists || KeyOf(file) != seen || bytes.Length != file.Length)
        {
            // Written again meanwhile: the next look sees when it is complete.
            return;
        }

        var id = PartId.Compute(line.Folder, file.Name, file.LastWriteTimeUtc, bytes);
        if (!recorded.Contains(id) && await store.FindAsync(id, stop) is null)
        {
            try
            {
                var result = await pipeline.InspectAsync(bytes, line.Product, line.Name, id, since, stop);
                recorded.Add(id);
                state.Add(result);
            }
            catch (Exception fault) when (fault is ImageReadException or NotFiniteException)
            {
                if (time.GetUtcNow().UtcDateTime - file.LastWriteTimeUtc > Patience)
                {
                    Fail(file, id, $"{file.Name}: {fault.Message}");
                }

                return;
            }
        }

        if (line.Leave)
        {
            left.Add(KeyOf(file));
        }
        else
        {
            WatchedFolder.Move(file, WatchedFolder.Done, id);
        }

        // From here on the file's place tells, or what is left.
        recorded.Remove(id);
    }

    private void Fail(FileInfo file, Guid id, string message)
    {
        state.AddFailed(message);
        if (line.Leave)
        {
            left.Add(KeyOf(file));
        }
        else
        {
            WatchedFolder.Move(file, WatchedFolder.Failed, id);
        }
    }

    private static (string, long, DateTime) KeyOf(FileInfo file) => (file.Name, file.Length, file.LastWriteTimeUtc);
}
