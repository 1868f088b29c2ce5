using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt.Checkpoints;

/// <summary>
/// Files that lie where weights should, and are something else: what a fetch that went wrong leaves behind. They are called what they are.
/// </summary>
internal static class Stranger
{
    /// <summary>Endings that promise a PyTorch checkpoint.</summary>
    private static readonly string[] PyTorchEndings = [".pth", ".pt", ".bin", ".ckpt"];

    /// <summary>Throws where a file's beginning shows that it holds no weights.</summary>
    /// <exception cref="CheckpointFormatException">It says what the file is, and what to do.</exception>
    public static void Refuse(string path, ReadOnlySpan<byte> start)
    {
        if (start.IsEmpty)
        {
            throw new CheckpointFormatException($"{path} is empty: expected weights. Fetch the file again.");
        }

        if (start.StartsWith("version https://git-lfs.github.com/spec/"u8))
        {
            throw new CheckpointFormatException($"{path} is a Git LFS pointer, which stands for the weights and does not hold them. "
                + "Run 'git lfs pull' in its repository, or download the file itself.");
        }

        var text = start.TrimStart(" \t\r\n\uFEFF"u8);
        if (BeginsWith(text, "<!doctype"u8) || BeginsWith(text, "<html"u8) || BeginsWith(text, "<?xml"u8))
        {
            throw new CheckpointFormatException($"{path} is a web page: expected weights. "
                + "The download was answered by a page, such as one to sign in. "
                + "Open the address in a browser, or fetch the file with its token.");
        }
    }

    /// <summary>Whether a file's name promises a PyTorch checkpoint.</summary>
    public static bool IsNamedForPyTorch(string path) => PyTorchEndings.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase);

    /// <summary>Of a file that breaks that promise.</summary>
    public static CheckpointFormatException NoPyTorch(string path)
        => new($"{path} is not a PyTorch checkpoint or is damaged: expected a zip that torch.save wrote, or a safetensors file. "
            + "Fetch the file again.");

    private static bool BeginsWith(ReadOnlySpan<byte> text, ReadOnlySpan<byte> lowerCase)
    {
        if (text.Length < lowerCase.Length)
        {
            return false;
        }

        for (var i = 0; i < lowerCase.Length; i++)
        {
            if (char.ToLowerInvariant((char)text[i]) != lowerCase[i])
            {
                return false;
            }
        }

        return true;
    }
}
