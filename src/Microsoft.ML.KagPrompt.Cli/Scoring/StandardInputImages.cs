using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Microsoft.ML.KagPrompt.Datasets;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Imaging;

namespace Microsoft.ML.KagPrompt.Cli.Scoring;

/// <summary>
/// Standard input: an image, or a path a line. Told apart by its first bytes; bytes that are neither are never written back as if they were
/// names.
/// </summary>
internal sealed class StandardInputImages(ImageInputs inputs)
{
    private const int LongestPath = 32_768;

    public IEnumerable<(DatasetImage Image, Func<ReadPicture> Read, bool IsAwaited)> Read()
    {
        var input = PipeReader.Create(Console.OpenStandardInput());
        var head = Head(input);
        using var stream = input.AsStream();
        // No text has bytes such as these; of image files, only PPM and the like begin as text does.
        if (ImageFormats.NameOf(head) is not null || head.Any(value => IsControl((char)value)) || head is [0x89 or 0xFF, ..])
        {
            var whole = new MemoryStream();
            stream.CopyTo(whole);
            yield return inputs.FromStandardInput(whole.ToArray);
            yield break;
        }

        using var lines = new StreamReader(stream, new UTF8Encoding(false), detectEncodingFromByteOrderMarks: true);
        for (var number = 1; Line(lines) is { } line; number++)
        {
            if (line.Length > LongestPath || line.Any(IsControl))
            {
                yield return inputs.FromStandardInput(() => throw new ImageReadException($"Standard input, line {number}: "
                    + "expected a path, got what is no text. Nothing after it was read."));
                yield break;
            }

            if (line.Contains('\uFFFD', StringComparison.Ordinal))
            {
                yield return inputs.FromStandardInput(() => throw new ImageReadException($"Standard input, line {number}: "
                    + "expected a path in UTF-8, got other bytes. Rename the file."));
            }
            else if (line.Length > 0)
            {
                yield return inputs.FromLine(line);
            }
        }
    }

    /// <summary>What is enough to tell, without waiting for more where a first short line has come.</summary>
    private static byte[] Head(PipeReader input)
    {
        while (true)
        {
            var read = input.ReadAsync().AsTask().GetAwaiter().GetResult();
            var head = read.Buffer.Slice(0, Math.Min(ImageFormats.HeadLength, read.Buffer.Length)).ToArray();
            var isEnough = read.IsCompleted || head.Length == ImageFormats.HeadLength || (head.AsSpan().IndexOf((byte)'\n') >= 4);
            input.AdvanceTo(read.Buffer.Start, isEnough ? read.Buffer.Start : read.Buffer.End);
            if (isEnough)
            {
                return head;
            }
        }
    }

    /// <summary>The next line, cut where it is longer than any path: input without line ends must not fill the memory.</summary>
    private static string? Line(StreamReader lines)
    {
        var line = new StringBuilder();
        for (var next = lines.Read(); ; next = lines.Read())
        {
            if (next < 0)
            {
                return line.Length == 0 ? null : line.ToString();
            }

            if (next == '\n' || line.Length > LongestPath)
            {
                return line.ToString().TrimEnd('\r');
            }

            line.Append((char)next);
        }
    }

    /// <summary>Of the control characters, tabs and line ends alone are in lists of paths.</summary>
    private static bool IsControl(char character) => character is < ' ' and not ('\t' or '\n' or '\r');
}
