using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using TorchSharp;
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
        var leading = patches.shape[..^1];
        var cells = patches.reshape(-1, Rows, Columns);
        if (cells.device_type == DeviceType.CPU && cells.dtype == ScalarType.Float32 && !cells.requires_grad)
        {
            return Between(cells.contiguous(), height, width).view([.. leading, height, width]).MoveToOuterDisposeScope();
        }

        var (down, across) = Weights(height, width);
        var pixels = tensor(down, [height, Rows], device: patches.device)
            .matmul(cells)
            .matmul(tensor(across, [width, Columns], device: patches.device).t());
        return pixels.reshape([.. leading, height, width]).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The same where nothing is trained: of each pixel the two cells beside it, rather than a product of matrices that are almost empty.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private unsafe Tensor Between(Tensor cells, int height, int width)
    {
        var planes = (int)cells.shape[0];
        var (down, across) = (Places(Rows, FirstRow, RowStep, height), Places(Columns, FirstColumn, ColumnStep, width));
        var pixels = empty(planes, height, width);
        float* from = TensorMemory.First(cells), to = TensorMemory.First(pixels);
        var line = new float[Columns + 1];
        for (var plane = 0; plane < planes; plane++, from += Rows * Columns)
        {
            foreach (var (row, below) in down)
            {
                float* upper = from + (row * Columns), lower = from + (Math.Min(row + 1, Rows - 1) * Columns);
                for (var column = 0; column < Columns; column++)
                {
                    line[column] = below == 0 ? upper[column] : (upper[column] * (1 - below)) + (lower[column] * below);
                }

                foreach (var (column, right) in across)
                {
                    *to++ = right == 0 ? line[column] : (line[column] * (1 - right)) + (line[column + 1] * right);
                }
            }
        }

        return pixels;
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
        foreach (var (pixel, (cell, part)) in Places(cells, first, step, pixels).Index())
        {
            weights[(pixel * cells) + cell] += 1 - part;
            if (cells > 1)
            {
                weights[(pixel * cells) + cell + 1] += part;
            }
        }

        return weights;
    }

    /// <summary>Of each pixel, the cell before it and how far it lies on the way to the next.</summary>
    private static (int Cell, float Part)[] Places(int cells, double first, double step, int pixels)
    {
        var places = new (int, float)[pixels];
        for (var pixel = 0; pixel < pixels; pixel++)
        {
            var place = Math.Clamp((pixel - first) / step, 0, cells - 1);
            var cell = Math.Min((int)place, Math.Max(cells - 2, 0));
            places[pixel] = (cell, (float)(place - cell));
        }

        return places;
    }
}
