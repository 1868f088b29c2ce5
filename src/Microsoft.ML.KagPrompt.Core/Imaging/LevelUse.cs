namespace Microsoft.ML.KagPrompt;

/// <summary>
/// Which of the 256 levels photographs use: 10 or 12 bits left unshifted in a 16-bit file come out almost black,
/// and hide defects as they hide the part.
/// </summary>
/// <remarks>Not thread-safe.</remarks>
public sealed class LevelUse
{
    /// <summary>A set of photographs that stays below this level in every pixel is dark as none lit for inspection is.</summary>
    private const int Dark = 64;

    private int images;
    private int sixteenBit;

    /// <summary>The highest level of any pixel so far; −1: there was none.</summary>
    public int Highest { get; private set; } = -1;

    /// <summary>Adds a photograph.</summary>
    /// <param name="image">Its pixels.</param>
    /// <param name="bitsPerSample">Of its file.</param>
    public void Add(PixelBuffer image, int bitsPerSample)
    {
        ArgumentNullException.ThrowIfNull(image);
        images++;
        sixteenBit += bitsPerSample == 16 ? 1 : 0;
        if (Highest >= Dark)
        {
            return;
        }

        var highest = 0;
        foreach (var level in image.Rgb)
        {
            highest = Math.Max(highest, level);
        }

        Highest = Math.Max(Highest, highest);
    }

    /// <summary>What to tell the user; null: nothing.</summary>
    public string? Warning => images == 0 || Highest >= Dark ? null
        : $"The {images} photographs are almost black: they use {Highest + 1} of 256 levels (0 to {Highest}), "
            + "and a defect may change none of them. "
            + (sixteenBit > 0
                ? $"{sixteenBit} are 16-bit files, of which the high byte is read: "
                    + "shift 10 or 12 bits up to 16, or save 8-bit images whose levels span the range."
                : "Light or scale them so that they span the range.");
}
