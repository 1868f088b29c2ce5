using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Microsoft.ML.KagPrompt.Station.Lines;

/// <summary>
/// The id of a file's result: the same for the same file (folder, name, time of change, content), so that a process killed between
/// recording and
/// moving finds out, and what it does again counts once.
/// </summary>
internal static class PartId
{
    public static Guid Compute(string folder, string name, DateTime changed, ReadOnlySpan<byte> file)
    {
        var of = Encoding.UTF8.GetBytes($"{folder}\0{name}\0{changed.Ticks}\0{Convert.ToHexString(SHA256.HashData(file))}");
        var bytes = SHA256.HashData(of).AsSpan(0, 16);
        // Version 7: its first 48 bits are milliseconds since 1970.
        Span<byte> stamp = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(stamp, Math.Max(0, new DateTimeOffset(changed, TimeSpan.Zero).ToUnixTimeMilliseconds()));
        stamp[2..].CopyTo(bytes);
        bytes[6] = (byte)((bytes[6] & 0x0F) | 0x70);
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return new Guid(bytes, bigEndian: true);
    }
}
