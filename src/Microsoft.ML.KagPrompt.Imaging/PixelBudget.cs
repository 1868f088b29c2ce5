using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt;

/// <summary>What decoding may cost: a few bytes can promise a huge picture, and several huge ones can come at once.</summary>
internal static class PixelBudget
{
    // Below it a picture costs so little that it may be as empty as it likes.
    private const long Large = 16_000_000;

    // A blank PNG gets to 1,000 pixels a byte, and to 8,300 where it has one bit a pixel, as masks may; nothing else but a GIF or a WebP
    // that someone made for the purpose gets further.
    private const long MostPixelsPerByte = 10_000;

    private static readonly Lock OneAtATime = new();

    public static bool IsLarge(int width, int height) => (long)width * height > Large;

    /// <summary>Refuses large pictures of next to no bytes: of a photograph there is something to store.</summary>
    /// <exception cref="ImageReadException">It is one.</exception>
    public static void RequireSubstance(int width, int height, long bytes, string origin)
    {
        if (IsLarge(width, height) && (long)width * height > MostPixelsPerByte * bytes)
        {
            throw new ImageReadException($"{origin} promises {width} x {height} pixels in {bytes} bytes: expected a photograph, "
                + $"of at most {MostPixelsPerByte} pixels a byte, got a picture of nothing. Look at what wrote it.");
        }
    }

    /// <summary>Decodes; of large pictures one at a time, so that their working memory does not add up.</summary>
    public static T Spend<T>(int width, int height, Func<T> decode)
    {
        if (!IsLarge(width, height))
        {
            return decode();
        }

        lock (OneAtATime)
        {
            return decode();
        }
    }
}
