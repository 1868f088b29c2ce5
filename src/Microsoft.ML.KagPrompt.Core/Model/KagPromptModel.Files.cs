using System.Security.Cryptography;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Files;

namespace Microsoft.ML.KagPrompt;

/// <content>A model as a file.</content>
public sealed partial class KagPromptModel
{
    /// <summary>
    /// Writes the whole model as one safetensors file, which appears whole or not at all: what lay there before stays until the new one is
    /// complete.
    /// </summary>
    /// <param name="path">The file; its folder is made where there is none.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Save(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        WholeFile.Write(path, Save);
    }

    /// <summary>
    /// SHA-256 of what <see cref="Save(Stream)"/> writes, 64 lower-case hexadecimal digits: two models of one hash are the same, threshold
    /// and all. An exported file carries that of the model it came from (kagprompt.model_sha256).
    /// </summary>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public string Sha256()
    {
        using var hash = SHA256.Create();
        using (var stream = new CryptoStream(Stream.Null, hash, CryptoStreamMode.Write))
        {
            Save(stream);
        }

        return Convert.ToHexStringLower(hash.Hash!);
    }

    /// <summary>Reads a file that <see cref="Save(string)"/> wrote. The caller disposes the model.</summary>
    /// <param name="path">The file.</param>
    /// <param name="device">"auto", "cpu", "cuda" or "cuda:N".</param>
    /// <param name="backboneFolders">Where a backbone that the model refers to is looked for after the file's own folder and before the
    /// model's and those of the environment variable KAGPROMPT_BACKBONES.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="ModelFormatException">The file is damaged, of another version or no such model, or the backbone it refers to is not
    /// there.</exception>
    public static KagPromptModel Load(string path, string device = "auto", IReadOnlyList<string>? backboneFolders = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using var file = File.OpenRead(path);
        Span<byte> head = stackalloc byte[2];
        if (file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false) == head.Length && head.SequenceEqual("PK"u8))
        {
            throw new ModelFormatException($"'{path}' is a zip: expected what KagPromptModel.Save writes. "
                + "A zip holds a whole pipeline, of which the model is a part: load it with what wrote it.");
        }

        file.Position = 0;
        try
        {
            return Load(file, device, [Path.GetDirectoryName(Path.GetFullPath(path))!, .. backboneFolders ?? []]);
        }
        catch (ModelFormatException fault) when (!fault.Message.Contains(path, StringComparison.Ordinal))
        {
            throw new ModelFormatException($"'{path}': {fault.Message}", fault);
        }
    }
}
