using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.Common;

/// <summary>
/// Greedy selection of rows that leave no row far away: again and again the row whose value is largest (the first of equals), after which
/// a row's value is the least of its own and its distance to the one taken. Computed in double: rounding decides between all but equals.
/// </summary>
internal static class Coreset
{
    // Distances held at a time while start values are computed.
    private const long Block = 1 << 22;

    /// <summary>The rows taken, in order. A row's value at the start is the Euclidean norm of its distances to all.</summary>
    /// <param name="features">[N, D].</param>
    /// <param name="count">How many, 1 to N.</param>
    public static long[] Exact(Tensor features, int count)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var (rows, squares) = Prepared(features);
        var step = Math.Max(1, Block / rows.shape[0]);
        var starts = new List<Tensor>();
        for (var first = 0L; first < rows.shape[0]; first += step)
        {
            using var inner = NewDisposeScope();
            var size = Math.Min(step, rows.shape[0] - first);
            // The norm of distances: the root of the sum of their squares.
            starts.Add(Squared(rows, squares, rows.narrow(0, first, size), squares.narrow(0, first, size)).sum(1).sqrt()
                .MoveToOuterDisposeScope());
        }

        return Take(rows, squares, cat([.. starts]), count);
    }

    /// <summary>
    /// The rows taken, in order. A row's value at the start is its mean distance to some drawn rows, which are not taken for that.
    /// </summary>
    /// <param name="features">[N, D].</param>
    /// <param name="count">How many, 1 to N.</param>
    /// <param name="starts">The drawn rows.</param>
    public static long[] Approximate(Tensor features, int count, long[] starts)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var (rows, squares) = Prepared(features);
        var drawn = tensor(starts, device: rows.device);
        var distances = Squared(rows, squares, rows.index_select(0, drawn), squares.index_select(0, drawn)).sqrt();      // [starts, N]
        return Take(rows, squares, distances.mean([0]), count);
    }

    /// <summary>Rows drawn without repetition, as <see cref="Approximate"/> starts from.</summary>
    public static long[] DrawStarts(long rows, int count, int seed)
    {
        var random = new Random(seed);
        var drawn = new HashSet<long>();
        while (drawn.Count < Math.Min(count, rows))
        {
            drawn.Add(random.NextInt64(rows));
        }

        return [.. drawn];
    }

    /// <summary>
    /// y = x Wᵀ of an untrained layer without bias, as PyTorch draws it: uniform within ±1/√D. [N, D] → [N, outputs]; as it is where it
    /// has that many already. The caller owns it.
    /// </summary>
    public static Tensor Project(Tensor features, int outputs, int seed)
    {
        var inputs = (int)features.shape[1];
        if (inputs == outputs)
        {
            return features.alias();
        }

        using var scope = NewDisposeScope();
        var (random, bound) = (new Random(seed), 1 / Math.Sqrt(inputs));
        var weights = Enumerable.Range(0, outputs * inputs).Select(_ => (float)(((2 * random.NextDouble()) - 1) * bound)).ToArray();
        return Project(features, tensor(weights, [outputs, inputs], device: features.device)).MoveToOuterDisposeScope();
    }

    /// <summary>The same by a given W: [outputs, D]. The caller owns it.</summary>
    public static Tensor Project(Tensor features, Tensor weights) => features.matmul(weights.t());

    private static (Tensor Rows, Tensor Squares) Prepared(Tensor features)
    {
        var rows = features.to_type(ScalarType.Float64);
        return (rows, rows.Squared().sum(1));
    }

    /// <summary>Squared distances of some rows to all: [some, N].</summary>
    private static Tensor Squared(Tensor rows, Tensor squares, Tensor some, Tensor theirs)
        => theirs.unsqueeze(1).Plus(squares.unsqueeze(0)).Minus(some.matmul(rows.t()).Times(2)).AtLeast(0);

    private static long[] Take(Tensor rows, Tensor squares, Tensor values, int count)
    {
        var taken = new long[count];
        for (var step = 0; step < count; step++)
        {
            using var scope = NewDisposeScope();
            var row = values.argmax().cpu().item<long>();
            taken[step] = row;
            var distances = Squared(rows, squares, rows.narrow(0, row, 1), squares.narrow(0, row, 1)).sqrt().squeeze(0);
            var next = minimum(values, distances);
            // Exactly 0 for itself, which differences of squares are not.
            next[row] = zeros(1, dtype: ScalarType.Float64, device: rows.device).squeeze();
            // A step's values are of no use to the next but one: of many rows they would fill the memory.
            var used = values;
            values = next.MoveToOuterDisposeScope();
            used.Dispose();
        }

        return taken;
    }
}
