using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;
using Microsoft.ML.KagPrompt.Onnx;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.WinClip;

/// <summary>Square windows of a grid of patches, one beginning at every patch where it fits.</summary>
/// <param name="Side">g: patches a side of the grid.</param>
/// <param name="Scale">s: patches a side of a window.</param>
internal sealed record WindowGrid(int Side, int Scale)
{
    /// <summary>The scales of the method, in patches, beside the whole image and the single patch.</summary>
    public static IReadOnlyList<int> Scales { get; } = [2, 3];

    /// <summary>Windows a side.</summary>
    public int Steps => Side - Scale + 1;

    /// <summary>
    /// The patches of each window by number, row by row, windows in the order of their top left patches: [(g−s+1)², s²], int64.
    /// </summary>
    public long[,] PatchIndices()
    {
        var indices = new long[Steps * Steps, Scale * Scale];
        for (var window = 0; window < Steps * Steps; window++)
        {
            for (var patch = 0; patch < Scale * Scale; patch++)
            {
                var (row, column) = ((window / Steps) + (patch / Scale), (window % Steps) + (patch % Scale));
                indices[window, patch] = ((long)row * Side) + column;
            }
        }

        return indices;
    }

    /// <summary>The windows that hold one of some patches, by number.</summary>
    public long[] Holding(IEnumerable<long> patches)
    {
        var wanted = patches.ToHashSet();
        var indices = PatchIndices();
        bool Holds(int window) => Enumerable.Range(0, Scale * Scale).Any(patch => wanted.Contains(indices[window, patch]));
        return [.. Enumerable.Range(0, Steps * Steps).Where(Holds).Select(window => (long)window)];
    }

    /// <summary>
    /// Scores of windows to values of patches, by the harmonic mean over the windows that hold a patch: [B, (g−s+1)²] → [B, g²]. One window
    /// without any doubt (0) clears its patches. What rounding brought below 0 counts as 0.
    /// </summary>
    public Tensor HarmonicMean(Tensor scores)
    {
        using var scope = NewDisposeScope();
        // 1/0 is infinite, and its reciprocal 0 again.
        var reciprocals = Spread(scores.AtLeast(0).reciprocal().view(-1, 1, Steps, Steps));
        var windows = Spread(ones(1, 1, Steps, Steps, device: scores.device));
        return (windows / reciprocals).view(-1, Side * Side).MoveToOuterDisposeScope();
    }

    /// <summary><see cref="HarmonicMean"/> in ONNX operators.</summary>
    public OnnxValue Emit(OnnxValue scores)
    {
        using var scope = NewDisposeScope();
        var reciprocals = scores.AtLeast(0).Reciprocal().Reshape(-1, 1, Steps, Steps);
        var graph = scores.Graph;
        var sum = Enumerable.Range(0, Scale * Scale).Select(place => (Row: place / Scale, Column: place % Scale)).Select(place
            => graph.Node("Pad", [reciprocals,
                graph.Whole(0, 0, place.Row, place.Column, 0, 0, Scale - 1 - place.Row, Scale - 1 - place.Column), graph.Constant(0)]))
            .Aggregate((sum, shifted) => sum + shifted);
        return (graph.Constant(Spread(ones(1, 1, Steps, Steps))) / sum).Reshape(-1, Side * Side);
    }

    /// <summary>
    /// Each patch's sum over the windows that hold it: [B, 1, g−s+1, g−s+1] → [B, 1, g, g]. Shifted and added, for a matrix product would
    /// take 0 · ∞.
    /// </summary>
    private Tensor Spread(Tensor windows)
    {
        Tensor? sum = null;
        for (var row = 0; row < Scale; row++)
        {
            for (var column = 0; column < Scale; column++)
            {
                var shifted = nn.functional.pad(windows, [column, Scale - 1 - column, row, Scale - 1 - row]);
                sum = sum is null ? shifted : sum.Plus(shifted);
            }
        }

        return sum!;
    }
}
