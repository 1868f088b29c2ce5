using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Metrics;

/// <summary>8-connected regions of masks.</summary>
internal static class ConnectedRegions
{
    /// <summary>The region of each set pixel, from 0; −1 elsewhere. Images follow one another and are not connected.</summary>
    public static int[] Label(ReadOnlySpan<bool> masks, int width, int height, out List<int> sizes)
    {
        var region = new int[masks.Length];
        Array.Fill(region, -1);
        sizes = [];
        var open = new Stack<int>();
        for (var start = 0; start < masks.Length; start++)
        {
            if (!masks[start] || region[start] >= 0)
            {
                continue;
            }

            var size = 0;
            region[start] = sizes.Count;
            open.Push(start);
            while (open.TryPop(out var pixel))
            {
                size++;
                var (row, column) = (pixel / width, pixel % width);
                var firstRow = row / height * height;
                for (var y = Math.Max(firstRow, row - 1); y <= Math.Min(firstRow + height - 1, row + 1); y++)
                {
                    for (var x = Math.Max(0, column - 1); x <= Math.Min(width - 1, column + 1); x++)
                    {
                        var next = (y * width) + x;
                        if (masks[next] && region[next] < 0)
                        {
                            region[next] = sizes.Count;
                            open.Push(next);
                        }
                    }
                }
            }

            sizes.Add(size);
        }

        return region;
    }
}
