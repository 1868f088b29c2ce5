using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Methods.Common;

/// <summary>What a class's region leaves of its maps.</summary>
internal sealed class ClassRegion
{
    private const string Remedy = "Draw it larger than a patch, or raise Images.Size.";

    /// <param name="square">The region at S × S.</param>
    /// <param name="grids">Where the patches of everything that makes the map lie.</param>
    /// <param name="maps">Makes the map.</param>
    /// <exception cref="ArgumentException">No patch's centre lies inside.</exception>
    public ClassRegion(SquareRegion square, IReadOnlyList<PatchGrid> grids, MapMaker maps)
    {
        Square = square;
        if (grids.FirstOrDefault(grid => square.CellsOf(grid).Length == 0) is { } empty)
        {
            throw new ArgumentException(FormattableString.Invariant(
                $"expected the centre of a patch inside, got none of {empty.Rows} x {empty.Columns}. ")
                + Remedy);
        }

        Inspected = maps.Covered(square, grids);
        Pixels = [.. Inspected.Index().Where(pixel => pixel.Item).Select(pixel => (long)pixel.Index)];
        if (Pixels.Length == 0)
        {
            throw new ArgumentException("expected pixels beside the centres of its patches, got none. " + Remedy);
        }
    }

    /// <summary>The region at S × S.</summary>
    public SquareRegion Square { get; }

    /// <summary>
    /// The pixels that have a value, row by row: those of the region, but for parts of it that are thinner than a patch and hold no centre.
    /// </summary>
    public bool[] Inspected { get; }

    /// <summary>The same by number.</summary>
    public long[] Pixels { get; }
}
