namespace Microsoft.ML.KagPrompt.Calibration;

/// <summary>Pictures that show no part, whatever the part is: what they lack of the supports tells where "foreign" begins.</summary>
internal static class BlankFrames
{
    /// <summary>Black, white, grey and noise, side × side.</summary>
    public static IReadOnlyList<PixelBuffer> Of(int side)
    {
        var noise = new byte[3 * side * side];
        new Random(0).NextBytes(noise);
        return [.. new byte[] { 0, 255, 128 }.Select(level => Plain(side, level)), new PixelBuffer(side, side, noise)];
    }

    private static PixelBuffer Plain(int side, byte level)
    {
        var rgb = new byte[3 * side * side];
        Array.Fill(rgb, level);
        return new PixelBuffer(side, side, rgb);
    }
}
