namespace Microsoft.ML.KagPrompt.Imaging;

/// <summary>Polygons to pixels.</summary>
internal static class RegionPolygons
{
    // A row is held against every edge: more would let a small file take minutes.
    internal const int MostPoints = 10_000;

    /// <summary>
    /// 1 where a pixel's middle lies in a polygon of the first kind and in none of the second, row by row. Within one polygon, parts that
    /// it goes round twice are outside.
    /// </summary>
    /// <param name="width">Columns.</param>
    /// <param name="height">Rows.</param>
    /// <param name="unitsAcross">What a point's X is multiplied by to be in pixels.</param>
    /// <param name="unitsDown">The same of Y.</param>
    /// <param name="inspect">None: the whole image.</param>
    /// <param name="ignore">What is taken away.</param>
    /// <exception cref="ArgumentException">A polygon has fewer than three points, there are too many, or a point lies outside the
    /// image.</exception>
    public static byte[] Draw(int width, int height, double unitsAcross, double unitsDown,
        IReadOnlyList<IReadOnlyList<(double X, double Y)>> inspect, IReadOnlyList<IReadOnlyList<(double X, double Y)>> ignore)
    {
        var points = inspect.Concat(ignore).Sum(polygon => (long)(polygon?.Count ?? 0));
        if (points > MostPoints)
        {
            throw new ArgumentException($"region: expected at most {MostPoints} points, got {points}. "
                + "Draw it with fewer, or give a picture.");
        }

        var mask = new byte[width * height];
        if (inspect.Count == 0)
        {
            Array.Fill(mask, (byte)1);
        }

        Fill(inspect, "inspect", 1);
        Fill(ignore, "ignore", 0);
        return mask;

        void Fill(IReadOnlyList<IReadOnlyList<(double X, double Y)>> polygons, string name, byte value)
        {
            for (var i = 0; i < polygons.Count; i++)
            {
                Check(polygons[i], $"{name}[{i}]", width / unitsAcross, height / unitsDown);
                Draw([.. polygons[i].Select(point => (point.X * unitsAcross, point.Y * unitsDown))], mask, width, height, value);
            }
        }
    }

    private static void Check(IReadOnlyList<(double X, double Y)>? polygon, string name, double right, double bottom)
    {
        if (polygon is null || polygon.Count < 3)
        {
            throw new ArgumentException($"region: {name}: expected a polygon of three or more points, got {polygon?.Count ?? 0}.");
        }

        foreach (var (x, y) in polygon)
        {
            if (!(x >= 0 && x <= right && y >= 0 && y <= bottom))
            {
                throw new ArgumentException(
                    FormattableString.Invariant($"region: {name}: expected points in 0..{right}, 0..{bottom}, got ({x}, {y}). ")
                    + "Points are in pixels of the width and height given, and without them in shares of the sides, 0 to 1.");
            }
        }
    }

    private static void Draw((double X, double Y)[] polygon, byte[] mask, int width, int height, byte value)
    {
        var crossings = new List<double>();
        for (var row = 0; row < height; row++)
        {
            var middle = row + 0.5;
            crossings.Clear();
            for (var i = 0; i < polygon.Length; i++)
            {
                var (from, to) = (polygon[i], polygon[(i + 1) % polygon.Length]);
                if ((from.Y <= middle) != (to.Y <= middle))
                {
                    crossings.Add(from.X + ((middle - from.Y) / (to.Y - from.Y) * (to.X - from.X)));
                }
            }

            crossings.Sort();
            for (var i = 0; i + 1 < crossings.Count; i += 2)
            {
                var (first, end) = (Column(crossings[i]), Column(crossings[i + 1]));
                mask.AsSpan((row * width) + first, end - first).Fill(value);
            }
        }

        int Column(double edge) => Math.Clamp((int)Math.Ceiling(edge - 0.5), 0, width);
    }
}
