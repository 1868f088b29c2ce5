using Microsoft.ML.KagPrompt.Numerics;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Tests.Numerics;

public sealed class PatchGridTests
{
    public static TheoryData<int, int, double, double, double, double, int, int> Grids => new()
    {
        { 28, 28, 10.4, 8, 9.55, 8, 224, 224 },
        { 14, 14, 0, 2, 0, 2, 28, 28 },
        { 3, 5, -4, 7.5, 30, 2.25, 20, 31 },
        { 1, 1, 3, 4, 3, 4, 6, 9 },
        { 2, 1, 1, 1.5, 0, 8, 4, 5 },
    };

    /// <summary>Without training by the cells beside each pixel, with it by products of matrices: both as the words say.</summary>
    [Theory]
    [MemberData(nameof(Grids))]
    public void ToImage_BothWays_LinearBetweenCentresAndConstantBeyond(
        int rows, int columns, double firstRow, double rowStep, double firstColumn, double columnStep, int height, int width)
    {
        var grid = new PatchGrid(rows, columns, firstRow, rowStep, firstColumn, columnStep);
        using var scope = NewDisposeScope();
        manual_seed(4);
        var cells = rand(2, 3, rows * columns);
        var values = cells.data<float>().ToArray();
        var plain = grid.ToImage(cells, height, width);
        var trained = grid.ToImage(cells.clone().requires_grad_(true), height, width).detach();
        plain.shape.Should().Equal(2, 3, height, width);
        var (one, other) = (plain.data<float>().ToArray(), trained.contiguous().data<float>().ToArray());
        for (var i = 0; i < one.Length; i++)
        {
            var (plane, y, x) = (i / (height * width), i / width % height, i % width);
            var (row, column) = (Math.Clamp((y - firstRow) / rowStep, 0, rows - 1), Math.Clamp((x - firstColumn) / columnStep, 0, columns - 1));
            double At(double r, double c) => values[(plane * rows * columns) + ((int)r * columns) + (int)c];
            double Across(double r) => At(r, Math.Floor(column))
                + ((column - Math.Floor(column)) * (At(r, Math.Ceiling(column)) - At(r, Math.Floor(column))));
            var due = Across(Math.Floor(row)) + ((row - Math.Floor(row)) * (Across(Math.Ceiling(row)) - Across(Math.Floor(row))));
            one[i].Should().BeApproximately((float)due, 1e-5f);
            other[i].Should().BeApproximately((float)due, 1e-5f);
        }
    }
}
