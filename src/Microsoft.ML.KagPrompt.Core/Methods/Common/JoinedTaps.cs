using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Numerics;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.Common;

/// <summary>
/// One feature of unit length per cell, made of all of a backbone's taps: each tap at unit length, the coarser ones read linearly between
/// their cells at the cells of the finest. A cosine of two such features is the mean of their taps' cosines.
/// </summary>
internal sealed partial class JoinedTaps
{
    private readonly VisionTowerInfo info;
    private readonly IReadOnlyList<PatchGrid> grids;

    public JoinedTaps(VisionTowerInfo info, int imageSize)
    {
        (this.info, grids) = (info, info.TapGrids(imageSize));
        var most = grids.Max(grid => grid.Rows);
        var finest = grids.Where(grid => grid.Rows == most).ToArray();
        // Equally fine taps may look a little aside of each other: what is made of them lies at their middle.
        Grid = finest[0] with { FirstRow = finest.Average(grid => grid.FirstRow), FirstColumn = finest.Average(grid => grid.FirstColumn) };
    }

    /// <summary>Where the cells lie.</summary>
    public PatchGrid Grid { get; }

    /// <summary>Length of a feature.</summary>
    public int Width => info.TapWidths.Sum();

    /// <summary>[B, L_i, D_i] of each tap → [B, L, Σ D_i], rows of unit length. The caller owns it.</summary>
    public Tensor Join(IReadOnlyList<Tensor> taps)
    {
        using var scope = NewDisposeScope();
        if (taps.Count != grids.Count)
        {
            throw new ArgumentException($"taps: expected {grids.Count}, got {taps.Count}.", nameof(taps));
        }

        return cat([.. taps.Select((tap, i) => OnGrid(tap, i).Times(1 / Math.Sqrt(taps.Count)))], -1).MoveToOuterDisposeScope();
    }

    private Tensor OnGrid(Tensor tap, int index)
    {
        Guard.Shape(tap, $"taps[{index}]", -1, (long)grids[index].Rows * grids[index].Columns, info.TapWidths[index]);
        var unit = tap.UnitLength(-1);
        if (grids[index].Rows == Grid.Rows)
        {
            return unit;
        }

        return Seen(grids[index]).ToImage(unit.transpose(1, 2), Grid.Rows).flatten(2).transpose(1, 2).UnitLength(-1);
    }

    /// <summary>Where the cells of a coarser tap lie among the cells of the finest.</summary>
    private PatchGrid Seen(PatchGrid own)
        => new(own.Rows, own.Columns, (own.FirstRow - Grid.FirstRow) / Grid.RowStep, own.RowStep / Grid.RowStep,
            (own.FirstColumn - Grid.FirstColumn) / Grid.ColumnStep, own.ColumnStep / Grid.ColumnStep);
}
