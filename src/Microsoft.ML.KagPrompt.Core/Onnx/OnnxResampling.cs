using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Onnx;

/// <summary>Maps on other grids, as products with constant matrices: the same numbers in every runtime.</summary>
internal static class OnnxResampling
{
    /// <summary>[…, Rows, Columns] → […, height, width], linear between the cells' centres.</summary>
    public static OnnxValue ToImage(this PatchGrid grid, OnnxValue cells, int height, int width)
    {
        var (down, across) = grid.Weights(height, width);
        return cells.Between(down, grid.Rows, across, grid.Columns);
    }

    /// <summary>
    /// Adaptive average pooling of n numbers to fewer: output i is the mean of inputs ⌊i·n/m⌋ up to ⌈(i+1)·n/m⌉, the last left out: [m, n].
    /// </summary>
    public static float[] Means(int inputs, int outputs)
    {
        var weights = new float[outputs * inputs];
        for (var i = 0; i < outputs; i++)
        {
            var (first, end) = ((int)((long)i * inputs / outputs), (int)((((i + 1L) * inputs) + outputs - 1) / outputs));
            weights.AsSpan((i * inputs) + first, end - first).Fill(1f / (end - first));
        }

        return weights;
    }

    /// <summary>[…, h, w] → […, H, W]: D x Aᵀ.</summary>
    /// <param name="x">The maps.</param>
    /// <param name="down">D, [H, h].</param>
    /// <param name="rows">h.</param>
    /// <param name="across">A, [W, w].</param>
    /// <param name="columns">w.</param>
    public static OnnxValue Between(this OnnxValue x, float[] down, int rows, float[] across, int columns)
    {
        using var scope = torch.NewDisposeScope();
        var turned = torch.tensor(across, [across.Length / columns, columns]).t();
        return x.Graph.Constant(down, down.Length / rows, rows).MatMul(x).MatMul(x.Graph.Constant(turned));
    }
}
