using System.Security.Cryptography;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Imaging;

namespace Microsoft.ML.KagPrompt.OnnxReading;

/// <summary>A file that was looked through before any runtime is given it: a stranger may have written it.</summary>
/// <param name="Bytes">The whole file.</param>
/// <param name="Info">What it says of itself.</param>
/// <param name="Origin">What to call it in messages.</param>
/// <param name="PathWithData">Where it lies, if weights lie beside it; null: it is whole by itself.</param>
internal sealed record ExportedFile(byte[] Bytes, OnnxModelInfo Info, string Origin, string? PathWithData)
{
    /// <summary>What follows a file's name in the name of the one beside it that holds its weights.</summary>
    public const string DataSuffix = ".data";

    private const string Expected = "Expected a file that KagPromptModel.ExportOnnx or 'kagprompt export' wrote.";

    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="ModelFormatException">It is no exported model, of a newer format, or damaged.</exception>
    public static ExportedFile Read(string path)
    {
        if (!File.Exists(path))
        {
            throw new FileNotFoundException($"There is no exported model '{path}'. {Expected}", path);
        }

        if (!RegularFile.Is(path))
        {
            throw new ModelFormatException($"'{path}' is no ordinary file but a pipe or a device. {Expected}");
        }

        if (new FileInfo(path).Length is var length && length > Array.MaxLength)
        {
            throw new ModelFormatException($"'{path}' has {length} bytes: an ONNX file has at most 2 GB. {Expected}");
        }

        return Read(File.ReadAllBytes(path), $"'{path}'", Path.GetFullPath(path));
    }

    /// <summary>A file in memory.</summary>
    /// <param name="bytes">The whole file.</param>
    /// <param name="origin">What to call it in messages.</param>
    /// <param name="path">Where it lies; null: nowhere, and weights cannot lie beside it.</param>
    /// <exception cref="ModelFormatException">It is no exported model, of a newer format, or damaged.</exception>
    public static ExportedFile Read(byte[] bytes, string origin, string? path = null)
    {
        OnnxContents contents;
        try
        {
            contents = OnnxContents.Read(bytes);
        }
        catch (Exception fault) when (fault is InvalidDataException or OverflowException)
        {
            throw new ModelFormatException($"{origin} is no ONNX file that can be read: {fault.Message} {Expected} "
                + "Export the model again, or copy the file again.", fault);
        }

        var info = ExportedMetadata.Read(contents, origin, bytes.LongLength);
        if (contents.OtherDomains.Count > 0)
        {
            throw new ModelFormatException($"{origin} needs operators of '{string.Join("', '", contents.OtherDomains.Take(5))}': "
                + $"expected ONNX's own alone. {Expected}");
        }

        RequireHash(contents, "graph_sha256", contents.GraphHash, origin);
        return contents.External.Count == 0 ? new(bytes, info, origin, null) : WithData(bytes, info, origin, path, contents);
    }

    /// <summary>Weights may lie in one file of a fixed name in the same folder, and nowhere else that a file may name.</summary>
    private static ExportedFile WithData(byte[] bytes, OnnxModelInfo info, string origin, string? path, OnnxContents contents)
    {
        if (path is null)
        {
            throw new ModelFormatException($"{origin} has its weights in another file: expected a file that is whole by itself. "
                + "Load it from its folder.");
        }

        var allowed = Path.GetFileName(path) + DataSuffix;
        if (contents.External.Keys.FirstOrDefault(name => name != allowed) is { } other)
        {
            throw new ModelFormatException($"{origin} has weights in '{Shown(other)}': expected them in the file itself or in '{allowed}' "
                + "beside it. A file that was renamed needs its old name; any other is not to be trusted.");
        }

        var data = path + DataSuffix;
        if (!RegularFile.Is(data))
        {
            throw new ModelFormatException($"{origin} has weights in '{allowed}', which is not beside it. Copy both files.");
        }

        var (length, needed) = (new FileInfo(data).Length, contents.External[allowed]);
        if (length < needed)
        {
            throw new ModelFormatException($"'{data}' ends early: expected at least {needed} bytes, got {length}. Copy it again.");
        }

        using (var stream = File.OpenRead(data))
        {
            RequireHash(contents, "data_sha256", Convert.ToHexStringLower(SHA256.HashData(stream)), $"'{data}'");
        }

        return new(bytes, info with { ByteCount = info.ByteCount + length }, origin, path);
    }

    /// <summary>A flipped bit of a weight is still a weight: the hash that was written with it tells.</summary>
    private static void RequireHash(OnnxContents contents, string name, string hash, string origin)
    {
        if (contents.Metadata.GetValueOrDefault($"kagprompt.{name}") is var due && due != hash)
        {
            throw new ModelFormatException($"{origin} is damaged, or was changed since it was exported: expected the SHA-256 "
                + $"{(due is null ? $"that kagprompt.{name} is to have" : Shown(due))}, got {hash}. "
                + "Export the model again, or copy the file again.");
        }
    }

    private static string Shown(string text) => text.Length <= 100 ? text : text[..100] + "…";
}
