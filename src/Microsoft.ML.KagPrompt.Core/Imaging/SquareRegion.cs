using System.Collections.Concurrent;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Imaging;

/// <summary>A region where images are brought to S × S.</summary>
/// <param name="side">S.</param>
/// <param name="inside">Which pixels are inspected, row by row.</param>
/// <param name="blank">The colour that a network takes for nothing: three bytes.</param>
internal sealed class SquareRegion(int side, bool[] inside, byte[] blank)
{
    private readonly ConcurrentDictionary<PatchGrid, long[]> cells = new();

    /// <summary>Which pixels are inspected, row by row.</summary>
    public bool[] Inside => inside;

    /// <summary>What images show outside: red, green and blue.</summary>
    public IReadOnlyList<byte> Blank => blank;

    /// <summary>
    /// The picture with nothing outside the region. Networks see beyond the patch they describe, and the whole image at once: only
    /// what they are not shown cannot change a score.
    /// </summary>
    public PixelBuffer Cut(PixelBuffer square)
    {
        var rgb = (byte[])square.Rgb.Clone();
        for (var p = 0; p < inside.Length; p++)
        {
            if (!inside[p])
            {
                blank.CopyTo(rgb, 3 * p);
            }
        }

        return new PixelBuffer(square.Width, square.Height, rgb);
    }

    /// <summary>
    /// The cells of a grid whose centres lie inside, row by row: the pixel that holds the centre decides, of two the lower and right one.
    /// </summary>
    public long[] CellsOf(PatchGrid grid) => cells.GetOrAdd(grid, Find);

    /// <summary>The region of the picture, mirrored if asked, then turned clockwise by 90° as often as asked.</summary>
    public SquareRegion Seen(bool isMirrored, int turns)
    {
        var marks = new byte[3 * inside.Length];
        for (var p = 0; p < inside.Length; p++)
        {
            marks[3 * p] = (byte)(inside[p] ? 1 : 0);
        }

        var picture = new PixelBuffer(side, side, marks);
        var turned = (isMirrored ? picture.Mirrored() : picture).Rotate90(turns).Rgb;
        return new SquareRegion(side, [.. Enumerable.Range(0, inside.Length).Select(p => turned[3 * p] != 0)], blank);
    }

    private long[] Find(PatchGrid grid)
    {
        var found = new List<long>();
        for (var row = 0; row < grid.Rows; row++)
        {
            for (var column = 0; column < grid.Columns; column++)
            {
                if (inside[(Pixel(grid.FirstRow + (row * grid.RowStep)) * side) + Pixel(grid.FirstColumn + (column * grid.ColumnStep))])
                {
                    found.Add(((long)row * grid.Columns) + column);
                }
            }
        }

        return [.. found];
    }

    /// <summary>Cells may lie beyond the picture's edge: the outer pixels stand for what is there.</summary>
    private int Pixel(double place) => Math.Clamp((int)Math.Floor(place + 0.5), 0, side - 1);
}
