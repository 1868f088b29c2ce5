using System.Text;

namespace Microsoft.ML.KagPrompt.Diagnostics;

/// <summary>Messages quote what was read, and a stranger may have written megabytes of it.</summary>
internal static class ShownText
{
    /// <summary>Most bytes of UTF-8 a message has.</summary>
    public const int MostBytes = 2000;

    // What is wrong comes first and what to do last: the middle is left out.
    private const int Head = 1400;
    private const int Tail = 500;
    private const int MostBytesOfACharacter = 3;

    /// <summary>The text, or its beginning and its end.</summary>
    public static string Shorten(string message)
    {
        if (message is null || message.Length <= MostBytes / MostBytesOfACharacter || Encoding.UTF8.GetByteCount(message) <= MostBytes)
        {
            return message!;
        }

        return string.Concat(Start(message, Head), " … ", End(message, Tail));
    }

    private static string Start(string text, int bytes)
    {
        var length = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            bytes -= rune.Utf8SequenceLength;
            if (bytes < 0)
            {
                break;
            }

            length += rune.Utf16SequenceLength;
        }

        return text[..length];
    }

    private static string End(string text, int bytes)
    {
        var first = text.Length;
        while (first > 0)
        {
            var isPair = first > 1 && char.IsLowSurrogate(text[first - 1]) && char.IsHighSurrogate(text[first - 2]);
            bytes -= isPair ? 4 : text[first - 1] < 0x80 ? 1 : text[first - 1] < 0x800 ? 2 : 3;
            if (bytes < 0)
            {
                break;
            }

            first -= isPair ? 2 : 1;
        }

        return text[first..];
    }
}
