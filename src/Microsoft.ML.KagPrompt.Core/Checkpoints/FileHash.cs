using System.Security.Cryptography;
using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt.Checkpoints;

/// <summary>SHA-256 of files.</summary>
internal static class FileHash
{
    private const int Piece = 1 << 20;

    /// <summary>Lower-case hexadecimal.</summary>
    public static string Of(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, Piece, FileOptions.SequentialScan);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }

    /// <summary>Holds a file against a hash.</summary>
    /// <exception cref="CheckpointFormatException">The file's content is another.</exception>
    public static void Check(string path, string expected) => Check(path, expected, Of(path));

    /// <summary>Loads from a file while another thread hashes it; what was loaded is handed out only if the hash is the expected one.</summary>
    /// <exception cref="CheckpointFormatException">The file's content is another.</exception>
    public static T Verified<T>(string path, string expected, Func<T> load) where T : IDisposable
    {
        var hashing = Task.Run(() => Of(path));
        T loaded;
        try
        {
            loaded = load();
        }
        catch
        {
            // Of the two reasons, that the file is another one tells more.
            hashing.ContinueWith(task => task.Exception, TaskScheduler.Default).Wait();
            if (hashing.IsCompletedSuccessfully)
            {
                Check(path, expected, hashing.Result);
            }

            throw;
        }

        try
        {
            Check(path, expected, hashing.GetAwaiter().GetResult());
            return loaded;
        }
        catch
        {
            loaded.Dispose();
            throw;
        }
    }

    private static void Check(string path, string expected, string got)
    {
        if (!string.Equals(expected, got, StringComparison.OrdinalIgnoreCase))
        {
            throw new CheckpointFormatException($"{path} was changed or damaged: expected SHA-256 {expected}, got {got}. Convert or copy the file again.");
        }
    }
}
