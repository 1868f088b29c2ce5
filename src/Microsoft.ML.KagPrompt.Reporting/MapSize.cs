namespace Microsoft.ML.KagPrompt.Reporting;

/// <summary>Guards maps that come as spans.</summary>
internal static class MapSize
{
    /// <exception cref="ArgumentException">A side is not positive, or the values are not as many as the size says.</exception>
    public static void Require(ReadOnlySpan<float> map, int width, int height)
    {
        if (width < 1 || height < 1 || map.Length != (long)width * height)
        {
            throw new ArgumentException($"map: expected {width} x {height} values, got {map.Length}.", nameof(map));
        }
    }
}
