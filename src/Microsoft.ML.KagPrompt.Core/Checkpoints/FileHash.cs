using System.Runtime.ExceptionServices;
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
    public static T Verified<T>(string path, string expected, Func<T> load) where T : class, IDisposable
    {
        var (loaded, got) = LoadIf(path, expected, load);
        Check(path, expected, got);
        return loaded!;
    }

    /// <summary>As <see cref="Verified"/>, but of another content gives its hash alone: of a file that is another one, why it could not be loaded says nothing.</summary>
    public static (T? Loaded, string Hash) LoadIf<T>(string path, string expected, Func<T> load) where T : class, IDisposable
    {
        var hashing = Task.Run(() => Of(path));
        T? loaded = null;
        ExceptionDispatchInfo? fault = null;
        try
        {
            loaded = load();
        }
        catch (Exception caught)
        {
            fault = ExceptionDispatchInfo.Capture(caught);
        }

        try
        {
            var hash = hashing.GetAwaiter().GetResult();
            if (!Same(hash, expected))
            {
                loaded?.Dispose();
                return (null, hash);
            }
        }
        catch
        {
            loaded?.Dispose();
            throw;
        }

        fault?.Throw();
        return (loaded, expected);
    }

    private static bool Same(string one, string other) => string.Equals(one, other, StringComparison.OrdinalIgnoreCase);

    private static void Check(string path, string expected, string got)
    {
        if (!Same(expected, got))
        {
            throw new CheckpointFormatException($"{path} was changed or damaged: expected SHA-256 {expected}, got {got}. Convert or copy the file again.");
        }
    }
}
