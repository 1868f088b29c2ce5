using System.Collections.Concurrent;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Numerics;

/// <summary>
/// Where the cells of a feature map lie in its image: the centre of cell (r, c) is at row FirstRow + r · RowStep,
/// column FirstColumn + c · ColumnStep, in pixels, where pixel i has its centre at i.
/// </summary>
/// <param name="Rows">Rows of cells.</param>
/// <param name="Columns">Columns of cells.</param>
/// <param name="FirstRow">Row of the first cells' centres.</param>
/// <param name="RowStep">Pixels from a row of cells to the next.</param>
/// <param name="FirstColumn">Column of the first cells' centres.</param>
/// <param name="ColumnStep">Pixels from a column of cells to the next.</param>
internal sealed record PatchGrid(int Rows, int Columns, double FirstRow, double RowStep, double FirstColumn, double ColumnStep)
{
    private static readonly ConcurrentDictionary<(PatchGrid Grid, int Height, int Width), (float[] Down, float[] Across)> Known = new();

    /// <summary>Cells that fill a square image without gaps, as the patches of a transformer do.</summary>
    public static PatchGrid Tiling(int side, int imageSize) => Square(side, ((double)imageSize / side / 2) - 0.5, (double)imageSize / side);

    /// <summary>Cells stretched until the outer ones lie on the image's outer pixels: "aligned corners".</summary>
    public static PatchGrid AlignedCorners(int side, int imageSize)
        => Square(side, side == 1 ? (imageSize - 1) / 2.0 : 0, side == 1 ? 1 : (imageSize - 1.0) / (side - 1));

    /// <summary>Cells that fill an image of any sides without gaps: PyTorch's bilinear resizing without aligned corners.</summary>
    public static PatchGrid HalfPixel(int rows, int columns, int height, int width) => new(
        rows, columns,
        ((double)height / rows / 2) - 0.5, (double)height / rows,
        ((double)width / columns / 2) - 0.5, (double)width / columns);

    /// <summary>As many rows as columns.</summary>
    public static PatchGrid Square(int side, double first, double step) => new(side, side, first, step, first, step);

    /// <summary>
    /// [..., Rows · Columns] → [..., S, S]: linear between centres, constant beyond the outer ones. With gradients.
    /// The caller owns the result.
    /// </summary>
    public Tensor ToImage(Tensor patches, int imageSize) => ToImage(patches, imageSize, imageSize);

    /// <summary>The same for images of any sides: → [..., height, width].</summary>
    public Tensor ToImage(Tensor patches, int height, int width)
    {
        using var scope = NewDisposeScope();
        var (down, across) = Weights(height, width);
        var leading = patches.shape[..^1];
        var cells = patches.reshape(-1, Rows, Columns);
        var pixels = tensor(down, [height, Rows], device: patches.device)
            .matmul(cells)
            .matmul(tensor(across, [width, Columns], device: patches.device).t());
        return pixels.reshape([.. leading, height, width]).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// What <see cref="ToImage(Tensor, int, int)"/> multiplies by: [height, Rows] before, [width, Columns] turned over after.
    /// </summary>
    public (float[] Down, float[] Across) Weights(int height, int width) => Known.GetOrAdd(
        (this, height, width),
        key => (Tents(Rows, FirstRow, RowStep, key.Height), Tents(Columns, FirstColumn, ColumnStep, key.Width)));

    /// <summary>Row by row, the weights of the cells in each pixel: [pixels, cells].</summary>
    private static float[] Tents(int cells, double first, double step, int pixels)
    {
        var weights = new float[pixels * cells];
        for (var pixel = 0; pixel < pixels; pixel++)
        {
            var place = Math.Clamp((pixel - first) / step, 0, cells - 1);
            var below = Math.Min((int)place, Math.Max(cells - 2, 0));
            var part = (float)(place - below);
            weights[(pixel * cells) + below] += 1 - part;
            if (cells > 1)
            {
                weights[(pixel * cells) + below + 1] += part;
            }
        }

        return weights;
    }
}
