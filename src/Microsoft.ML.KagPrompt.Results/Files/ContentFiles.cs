using Microsoft.ML.KagPrompt.Files;

namespace Microsoft.ML.KagPrompt.Results.Files;

/// <summary>Files named by the SHA-256 of their bytes, in folders of two levels; each content once.</summary>
/// <remarks>Thread-safe. A file's time of change is when it was recorded last.</remarks>
internal sealed class ContentFiles(string folder, TimeProvider time)
{
    // A file is not deleted while it is found to be there already.
    private readonly Lock[] locks = [.. Enumerable.Range(0, 256).Select(_ => new Lock())];

    /// <summary>Writes the bytes, or renews the file that has them. On disk when it returns.</summary>
    /// <returns>The hash.</returns>
    public string Write(ReadOnlyMemory<byte> bytes)
    {
        var hash = ContentHash.Compute(bytes.Span);
        var path = PathOf(hash);
        lock (LockOf(hash))
        {
            // One that was damaged since is written anew.
            if (!File.Exists(path) || !File.ReadAllBytes(path).AsSpan().SequenceEqual(bytes.Span))
            {
                WholeFile.Write(path, bytes);
            }

            File.SetLastWriteTimeUtc(path, time.GetUtcNow().UtcDateTime);
        }

        return hash;
    }

    /// <summary>The bytes; null: they are not there.</summary>
    /// <exception cref="ResultStoreException">The file has other bytes than were written.</exception>
    /// <exception cref="ArgumentException">This is no hash.</exception>
    public async Task<byte[]?> ReadAsync(string hash, CancellationToken cancellationToken)
    {
        byte[] bytes;
        try
        {
            // On Windows a file that is read can be deleted only if its reader allows that.
            await using var file = new FileStream(PathOf(hash), new FileStreamOptions
            {
                Share = FileShare.Read | FileShare.Delete,
                Options = FileOptions.Asynchronous,
                BufferSize = 0,
            });
            bytes = new byte[file.Length];
            await file.ReadExactlyAsync(bytes, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }

        return ContentHash.Compute(bytes) == hash ? bytes
            : throw new ResultStoreException($"The file of {hash} is damaged: its bytes have another SHA-256. Restore it from a backup.");
    }

    /// <summary>All files, unfinished ones left out.</summary>
    public IEnumerable<ContentFile> List() => Directory.Exists(folder)
        ? new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories).Where(file => ContentHash.Is(file.Name))
            .Select(file => new ContentFile(this, file.Name, file.LastWriteTimeUtc, file.Length))
        : [];

    /// <summary>Deletes a file, unless it was recorded again since it was listed.</summary>
    /// <returns>Whether it is gone.</returns>
    public bool Delete(ContentFile file)
    {
        var path = PathOf(file.Hash);
        lock (LockOf(file.Hash))
        {
            if (File.GetLastWriteTimeUtc(path) != file.Recorded)
            {
                return false;
            }

            File.Delete(path);
            return true;
        }
    }

    /// <summary>Deletes what broken-off writings left behind.</summary>
    public void DeleteUnfinished(DateTime before)
    {
        foreach (var file in Directory.Exists(folder)
            ? new DirectoryInfo(folder).EnumerateFiles("*" + Leftovers.Ending, SearchOption.AllDirectories) : [])
        {
            if (file.LastWriteTimeUtc < before)
            {
                file.Delete();
            }
        }
    }

    private string PathOf(string hash) => ContentHash.Is(hash) ? Path.Combine(folder, hash[..2], hash[2..4], hash)
        : throw new ArgumentException("Hash: expected 64 hexadecimal digits in small letters.", nameof(hash));

    private Lock LockOf(string hash) => locks[Convert.ToByte(hash[..2], 16)];
}
