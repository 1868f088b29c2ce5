using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Reporting;

/// <summary>
/// The outline of a set of pixels: a line just inside it and another, its casing, just outside, so that one of the two shows on any image.
/// </summary>
internal static class Outline
{
    public const byte None = 0;
    public const byte Line = 1;
    public const byte Casing = 2;

    /// <summary>What belongs to the outline. Beyond the edges of the picture nothing is set, so outlines are closed.</summary>
    /// <param name="inside">width · height pixels.</param>
    /// <param name="width">Columns.</param>
    /// <param name="height">Rows.</param>
    /// <param name="thickness">Of the line and of its casing, in pixels (city-block distance).</param>
    public static byte[] Trace(ReadOnlySpan<bool> inside, int width, int height, int thickness)
    {
        var (marks, reached) = (new byte[inside.Length], new List<int>());
        for (var p = 0; p < inside.Length; p++)
        {
            var (x, y) = (p % width, p / width);
            var left = x > 0 && inside[p - 1];
            var right = x < width - 1 && inside[p + 1];
            var up = y > 0 && inside[p - width];
            var down = y < height - 1 && inside[p + width];
            if (inside[p] ? !(left && right && up && down) : left || right || up || down)
            {
                marks[p] = inside[p] ? Line : Casing;
                reached.Add(p);
            }
        }

        for (var step = 1; step < thickness; step++)
        {
            reached = Grow(marks, inside, width, height, reached);
        }

        return marks;
    }

    /// <summary>A pixel further on either side.</summary>
    private static List<int> Grow(byte[] marks, ReadOnlySpan<bool> inside, int width, int height, List<int> from)
    {
        var reached = new List<int>();
        foreach (var p in from)
        {
            var (x, y) = (p % width, p / width);
            foreach (var (dx, dy) in (ReadOnlySpan<(int, int)>)[(-1, 0), (1, 0), (0, -1), (0, 1)])
            {
                var next = p + (dy * width) + dx;
                if (x + dx >= 0 && x + dx < width && y + dy >= 0 && y + dy < height && marks[next] == None && inside[next] == inside[p])
                {
                    marks[next] = marks[p];
                    reached.Add(next);
                }
            }
        }

        return reached;
    }
}
