using System.IO.Compression;
using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt.Checkpoints;

/// <summary>
/// Opens weights by what the file holds, whatever it is called: safetensors, an index of safetensors shards, a PyTorch zip.
/// </summary>
internal static class CheckpointFile
{
    // Containers whose only content are the weights.
    private static readonly string[] Wrappers = ["state_dict.", "model.", "module."];

    /// <summary>Opens a file and reads its structure. The caller disposes the source.</summary>
    /// <exception cref="CheckpointFormatException">It is none of these, or damaged, or asks to run code.</exception>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static ITensorSource Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var source = OpenAsIs(path);
        try
        {
            while (source.Entries.Count > 0
                && Wrappers.FirstOrDefault(wrapper
                    => source.Entries.Keys.All(name => name.StartsWith(wrapper, StringComparison.Ordinal))) is { } shared)
            {
                source = new PrefixedTensors(source, shared, ownsSource: true);
            }

            return source;
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    /// <summary>Whether a file is a PyTorch checkpoint in the zip format; other zips, such as ML.NET's models, are not.</summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static bool IsPyTorch(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            using var zip = ZipFile.OpenRead(path);
            return zip.Entries.Any(entry => entry.FullName.EndsWith("/data.pkl", StringComparison.Ordinal));
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    private static ITensorSource OpenAsIs(string path)
    {
        Span<byte> start = stackalloc byte[256];
        int read;
        using (var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read))
        {
            read = file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        }

        Stranger.Refuse(path, start[..read]);
        read = Math.Min(read, 9);
        var head = start[..read];

        // A zip, a legacy pickle (refused with advice), or an object of JSON; a safetensors header begins after eight bytes.
        return read >= 2
            && ((head[0] == 'P' && head[1] == 'K') || (head[0] == 0x80 && head[1] is >= 2 and <= 5 && (read < 9 || head[8] != '{')))
                ? PyTorchCheckpoint.Open(path)
            : read >= 1 && (read < 9 || head[8] != '{') && head[..read].TrimStart(" \t\r\n"u8) is [(byte)'{', ..]
                ? ShardedSafetensors.Open(path)
            : Stranger.IsNamedForPyTorch(path) && (read < 9 || head[8] != '{') ? throw Stranger.NoPyTorch(path)
            : SafetensorsFile.Open(path);
    }
}
