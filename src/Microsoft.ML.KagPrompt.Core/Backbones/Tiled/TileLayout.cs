namespace Microsoft.ML.KagPrompt.Backbones.Tiled;

/// <summary>Squares of one size that overlap and cover a larger square, and which of them each of its cells is taken from.</summary>
/// <param name="Side">Pixels a side of a tile.</param>
/// <param name="PerSide">Tiles along a side.</param>
/// <param name="Stride">Pixels from a tile to the next.</param>
internal sealed record TileLayout(int Side, int PerSide, int Stride)
{
    /// <summary>The most tiles along a side.</summary>
    public const int Most = ImageOptions.MostTiles;

    /// <summary>Tiles that overlap by a quarter of their side, or a little more: they begin where patches do.</summary>
    /// <param name="side">Pixels a side of a tile.</param>
    /// <param name="perSide">Tiles along a side.</param>
    /// <param name="patchSizes">Of the towers that see them.</param>
    public static TileLayout Create(int side, int perSide, params IEnumerable<int> patchSizes)
    {
        var step = patchSizes.Aggregate(1, LeastCommonMultiple);
        return new(side, perSide, Math.Max(step, side * 3 / 4 / step * step));
    }

    /// <summary>S, pixels a side of the whole.</summary>
    public int Whole => Side + ((PerSide - 1) * Stride);

    /// <summary>Tiles in all.</summary>
    public int Count => PerSide * PerSide;

    /// <summary>First pixel of each tile along a side.</summary>
    public IEnumerable<int> Starts => Enumerable.Range(0, PerSide).Select(tile => tile * Stride);

    /// <summary>Along a side, the cells that are kept of each tile: those that lie more central in it than in its neighbours.</summary>
    /// <param name="step">Pixels a cell, of which the stride is a multiple.</param>
    public IReadOnlyList<TileCells> Kept(int step)
    {
        if (Stride % step != 0)
        {
            throw new InvalidOperationException($"Tiles: cells of {step} pixels do not fit a stride of {Stride}.");
        }

        var (cells, stride) = ((Side + step - 1) / step, Stride / step);
        // Cells that two tiles share are split in the middle; the first tile has the odd one.
        var (shared, first) = (cells - stride, (cells - stride) / 2);
        return [.. Enumerable.Range(0, PerSide).Select(tile =>
        {
            var begin = tile == 0 ? 0 : shared - first;
            var end = tile == PerSide - 1 ? cells : stride + shared - first;
            return new TileCells(begin, end - begin);
        })];
    }

    private static int LeastCommonMultiple(int a, int b)
    {
        var (larger, rest) = (a, b);
        while (rest != 0)
        {
            (larger, rest) = (rest, larger % rest);
        }

        return a / larger * b;
    }
}

/// <summary>A run of a tile's cells along one side.</summary>
/// <param name="First">The first, counted within the tile.</param>
/// <param name="Count">How many.</param>
internal readonly record struct TileCells(int First, int Count);
