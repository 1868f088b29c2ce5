using Microsoft.ML.KagPrompt.Numerics;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Choices;

/// <summary>
/// For every picture asked for, how far each of its patches lies from the nearest patch of every single support. What a bank of some supports
/// says is then the least over them: all draws and numbers of shots come from one run of the network.
/// </summary>
internal sealed class PairDistances : IDisposable
{
    private readonly Dictionary<(int Picture, int Support), Tensor[]> pairs = [];

    /// <param name="pictures">Unit patches of each picture, tap by tap: [L_i, D_i].</param>
    /// <param name="supports">The same of each support's views.</param>
    /// <param name="needed">Which pairs.</param>
    /// <param name="radius">Cells by which a match may lie away in row and column; null: anywhere.</param>
    public PairDistances(IReadOnlyList<Tensor[]> pictures, IReadOnlyList<IReadOnlyList<Tensor[]>> supports, Func<int, int, bool> needed, int? radius)
    {
        using var nothing = no_grad();
        for (var p = 0; p < pictures.Count; p++)
        {
            for (var s = 0; s < supports.Count; s++)
            {
                if (needed(p, s))
                {
                    pairs[(p, s)] = [.. Enumerable.Range(0, pictures[p].Length).Select(tap => Nearest(pictures[p][tap], [.. supports[s].Select(view => view[tap])], radius))];
                }
            }
        }
    }

    /// <summary>Distances of a picture's patches to a bank of some supports, tap by tap: [1, L_i].</summary>
    public Tensor[] OfPicture(int picture, IReadOnlyList<int> bank)
    {
        var taps = pairs[(picture, bank[0])].Length;
        return [.. Enumerable.Range(0, taps).Select(tap => stack([.. bank.Select(s => pairs[(picture, s)][tap])]).amin([0]).unsqueeze(0))];
    }

    public void Dispose()
    {
        foreach (var tensor in pairs.Values.SelectMany(taps => taps))
        {
            tensor.Dispose();
        }
    }

    private static Tensor Nearest(Tensor patches, Tensor[] views, int? radius)
    {
        using var scope = NewDisposeScope();
        var best = views.Select(view =>
        {
            var similarities = patches.matmul(view.t());
            return (radius is { } r ? similarities.Plus(Beyond((int)Math.Sqrt(patches.shape[0]), r)) : similarities).amax([1]);
        }).Aggregate(maximum);
        return best.Complement().DetachFromDisposeScope();
    }

    private static readonly Dictionary<(int, int), Tensor> masks = [];

    /// <summary>−4 where two cells lie further apart.</summary>
    private static Tensor Beyond(int side, int radius)
    {
        if (!masks.TryGetValue((side, radius), out var mask))
        {
            var reach = Math.Max(1, radius * side / 28);
            var values = new float[side * side * side * side];
            for (var a = 0; a < side * side; a++)
            {
                for (var b = 0; b < side * side; b++)
                {
                    values[(a * side * side) + b] = Math.Abs((a / side) - (b / side)) <= reach && Math.Abs((a % side) - (b % side)) <= reach ? 0 : -4;
                }
            }

            masks[(side, radius)] = mask = tensor(values, [side * side, side * side]).DetachFromDisposeScope();
        }

        return mask;
    }
}
