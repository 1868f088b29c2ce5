namespace Microsoft.ML.KagPrompt.Hosting.Registry;

/// <summary>A lock between processes, let go of by the system when its process ends.</summary>
internal static class FolderLock
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30), Pause = TimeSpan.FromMilliseconds(20);

    /// <summary>Waits for the lock. It is let go of by disposing.</summary>
    /// <exception cref="IOException">Another process has it for half a minute, or the file cannot be made.</exception>
    public static async Task<IDisposable> TakeAsync(string path, CancellationToken cancellation)
    {
        // The system's clock: what is waited for is another process.
        for (var until = Environment.TickCount64 + (long)Patience.TotalMilliseconds; ;)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 0);
            }
            catch (IOException fault) when (fault is not (DirectoryNotFoundException or PathTooLongException))
            {
                if (Environment.TickCount64 > until)
                {
                    throw new IOException($"'{path}' is locked: expected another process to let go of it within {Patience.TotalSeconds} s. "
                        + $"Look for a process that hangs. {fault.Message}", fault);
                }

                await Task.Delay(Pause, cancellation).ConfigureAwait(false);
            }
        }
    }
}
