using System.Runtime.CompilerServices;

namespace Microsoft.ML.KagPrompt.Numerics;

/// <summary>A matrix whose rows are taken some at a time, by one thread.</summary>
/// <param name="first">The matrix.</param>
/// <param name="width">Of a row.</param>
/// <param name="shape">Of a tile.</param>
/// <param name="few">Room for a tile: too few rows for one stand here, the last of them again and again.</param>
internal readonly unsafe struct RowTiles(float* first, int width, TileShape shape, float* few)
{
    public int Width => width;

    public TileShape Shape => shape;

    /// <summary>Some rows, at most a tile's, against a panel of queries: [rows, queries].</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Multiply(int row, int count, float* panel, float* products)
    {
        var own = first + ((nint)row * width);
        if (count < shape.Rows)
        {
            for (var i = 0; i < shape.Rows; i++)
            {
                var source = new ReadOnlySpan<float>(own + ((nint)Math.Min(i, count - 1) * width), width);
                source.CopyTo(new(few + ((nint)i * width), width));
            }

            own = few;
        }

        ProductTiles.Multiply(shape, panel, own, RowWindow.OfMatrix(width, width), products);
    }
}
