namespace Microsoft.ML.KagPrompt.Results.Files;

/// <summary>A file that one process at a time holds open; the system lets go of it when the process ends, however it ends.</summary>
internal static class FileLock
{
    /// <summary>Takes it, or null where another holds it.</summary>
    public static FileStream? TryTake(string path)
    {
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException) when (File.Exists(path))
        {
            return null;
        }
    }

    /// <summary>Takes it, waiting for whoever holds it.</summary>
    public static async Task<FileStream> TakeAsync(string path, TimeProvider time, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (TryTake(path) is { } taken)
            {
                return taken;
            }

            // The system tells nobody that a file was let go.
            await Task.Delay(TimeSpan.FromMilliseconds(50), time, cancellationToken).ConfigureAwait(false);
        }
    }
}
