using System.IO.Compression;
using System.IO.Hashing;
using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt.Persistence;

/// <summary>What .NET's zip reader leaves unchecked: checksums, and how far an entry unpacks.</summary>
internal static class ZipChecks
{
    // Weights hardly compress: what unpacks to far more is no model.
    private const long LargestRatio = 100;
    private const long AlwaysAllowed = 16 << 20;

    /// <summary>Holds every entry against its checksum, but for those that have better ones of their own.</summary>
    /// <param name="archive">The zip, open for reading.</param>
    /// <param name="hashed">Ends of the names of entries that are checked otherwise.</param>
    /// <exception cref="ModelFormatException">One is damaged, or unpacks to far more than the zip.</exception>
    public static void Check(ZipArchive archive, params string[] hashed)
    {
        foreach (var entry in archive.Entries)
        {
            if (entry.Length > AlwaysAllowed && entry.Length / LargestRatio > entry.CompressedLength)
            {
                throw new ModelFormatException($"The model zip's '{entry.FullName}' unpacks from {entry.CompressedLength} to "
                    + $"{entry.Length} bytes: no model does. The file is refused.");
            }

            if (!hashed.Any(end => entry.FullName.EndsWith(end, StringComparison.Ordinal)) && !IsWhole(entry))
            {
                throw new ModelFormatException($"The model zip is damaged: the checksum of '{entry.FullName}' does not fit its content. "
                    + "Save or copy the zip again.");
            }
        }
    }

    private static bool IsWhole(ZipArchiveEntry entry)
    {
        var (checksum, length, piece) = (new Crc32(), 0L, new byte[1 << 16]);
        using var content = entry.Open();
        for (int read; (read = content.Read(piece)) > 0 && length <= entry.Length;)
        {
            length += read;
            checksum.Append(piece.AsSpan(0, read));
        }

        return length == entry.Length && checksum.GetCurrentHashAsUInt32() == entry.Crc32;
    }
}
