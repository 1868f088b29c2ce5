using System.Security.Cryptography;

namespace Microsoft.ML.KagPrompt.Hosting;

/// <summary>A file as it was recorded.</summary>
/// <param name="Name">Its name, without a folder.</param>
/// <param name="Sha256">Lower-case hexadecimal.</param>
/// <remarks>Immutable.</remarks>
public sealed record RecordedFile(string Name, string Sha256)
{
    /// <summary>A file's name and hash.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="IOException">It is not there or cannot be read.</exception>
    public static RecordedFile Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 20, FileOptions.SequentialScan);
        return new(Path.GetFileName(path), Convert.ToHexStringLower(SHA256.HashData(file)));
    }
}
