namespace Microsoft.ML.KagPrompt.Results.Files;

/// <summary>Writes files that are whole or not there, whatever happens meanwhile.</summary>
internal static class WholeFile
{
    /// <summary>Ends the names of files that are being written; what is left of them after a crash may be deleted.</summary>
    public const string Unfinished = ".tmp";

    /// <summary>Writes beside the target, flushes, renames, flushes the folder. The folder must be there.</summary>
    public static void Write(string path, ReadOnlySpan<byte> bytes, UnixFileMode? mode = null)
    {
        var beside = $"{path}.{Guid.NewGuid():N}{Unfinished}";
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0 };
            if (mode is not null && !OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = mode;
            }

            using (var file = new FileStream(beside, options))
            {
                file.Write(bytes);
                file.Flush(flushToDisk: true);
            }

            File.Move(beside, path, overwrite: true);
        }
        catch
        {
            File.Delete(beside);
            throw;
        }

        DurableFolder.Flush(Path.GetDirectoryName(path)!);
    }
}
