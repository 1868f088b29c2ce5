namespace Microsoft.ML.KagPrompt.Reporting;

/// <summary>
/// The colours of anomaly maps, from near-black over violet and orange to pale yellow: equal steps of the value look equally large,
/// and lightness alone tells the order.
/// </summary>
/// <remarks>Pure functions, thread-safe.</remarks>
public static class ColorRamp
{
    /// <summary>Distinct colours.</summary>
    internal const int Steps = 256;

    private static readonly (byte R, byte G, byte B)[] Table = Even(
    [
        (0, 0, 4), (31, 12, 72), (85, 15, 109), (136, 34, 106), (186, 54, 85),
        (227, 89, 51), (249, 140, 10), (249, 201, 50), (252, 255, 164),
    ]);

    /// <summary>The colour of a position in 0..1, dark to bright; beyond is clamped, NaN is darkest.</summary>
    public static (byte R, byte G, byte B) Color(float position) => Table[Step(position)];

    internal static int Step(float position) => float.IsNaN(position) ? 0 : (int)MathF.Round(Math.Clamp(position, 0, 1) * (Steps - 1));

    /// <summary>Colours at equal distances along the straight lines through the anchors in L*a*b*.</summary>
    private static (byte R, byte G, byte B)[] Even((byte R, byte G, byte B)[] anchors)
    {
        var path = anchors.Select(anchor => LabColor.OfRgb(anchor.R, anchor.G, anchor.B)).ToArray();
        var from = new double[path.Length];
        for (var i = 1; i < path.Length; i++)
        {
            from[i] = from[i - 1] + path[i - 1].DistanceTo(path[i]);
        }

        var table = new (byte R, byte G, byte B)[Steps];
        for (var (step, line) = (0, 0); step < Steps; step++)
        {
            var distance = from[^1] * step / (Steps - 1);
            while (line < path.Length - 2 && distance > from[line + 1])
            {
                line++;
            }

            table[step] = path[line].Towards(path[line + 1], (distance - from[line]) / (from[line + 1] - from[line])).ToRgb();
        }

        return table;
    }
}
