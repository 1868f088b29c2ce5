using System.Runtime.ExceptionServices;
using System.Security.Cryptography;
using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt.Checkpoints;

/// <summary>SHA-256 of files.</summary>
internal static class FileHash
{
    private const int Piece = 1 << 20;

    /// <summary>Lower-case hexadecimal.</summary>
    public static string Compute(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, Piece, FileOptions.SequentialScan);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }

    /// <summary>Holds a file against a hash.</summary>
    /// <exception cref="CheckpointFormatException">The file's content is another.</exception>
    public static void Check(string path, string expected) => Check(path, expected, Compute(path));

    /// <summary>
    /// Loads tensors from a file while another thread hashes it; what was loaded is handed out only if the hash is the expected one.
    /// </summary>
    /// <exception cref="CheckpointFormatException">The file's content is another.</exception>
    public static T Verified<T>(string path, string expected, Func<ITensorSource, T> read) where T : class, IDisposable
    {
        var (loaded, got) = LoadIf(path, expected, read);
        Check(path, expected, got);
        return loaded!;
    }

    /// <summary>
    /// As <see cref="Verified"/>, but of another content gives its hash alone: of a file that is another one,
    /// why it could not be loaded says nothing.
    /// </summary>
    public static (T? Loaded, string Hash) LoadIf<T>(string path, string expected, Func<ITensorSource, T> read) where T : class, IDisposable
    {
        T? loaded = null;
        ExceptionDispatchInfo? fault = null;
        string hash;
        try
        {
            (loaded, fault, hash) = Load(path, read);
        }
        catch (CheckpointFormatException caught)
        {
            (fault, hash) = (ExceptionDispatchInfo.Capture(caught), Compute(path));
        }

        if (!Same(hash, expected))
        {
            loaded?.Dispose();
            return (null, hash);
        }

        fault?.Throw();
        return (loaded, expected);
    }

    private static (T? Loaded, ExceptionDispatchInfo? Fault, string Hash) Load<T>(string path, Func<ITensorSource, T> read)
        where T : class, IDisposable
    {
        using var source = CheckpointFile.Open(path);
        // A converted file's tensors are all wanted, in the file's order. Of another file only some are,
        // in an order of their own: it is hashed apart.
        using var inOrder = source is SafetensorsFile file && file.Metadata.ContainsKey(SafetensorsWriter.KindKey)
            ? new HashingTensors(file)
            : null;
        var apart = inOrder is null ? Task.Run(() => Compute(path)) : null;
        T? loaded = null;
        ExceptionDispatchInfo? fault = null;
        try
        {
            loaded = read(inOrder ?? source);
        }
        catch (Exception caught)
        {
            fault = ExceptionDispatchInfo.Capture(caught);
        }

        try
        {
            return (loaded, fault, inOrder?.Complete() ?? apart!.GetAwaiter().GetResult());
        }
        catch
        {
            loaded?.Dispose();
            throw;
        }
    }

    private static bool Same(string one, string other) => string.Equals(one, other, StringComparison.OrdinalIgnoreCase);

    private static void Check(string path, string expected, string got)
    {
        if (!Same(expected, got))
        {
            throw new CheckpointFormatException(
                $"{path} was changed or damaged: expected SHA-256 {expected}, got {got}. Convert or copy the file again.");
        }
    }
}
