using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.Common;

/// <summary>
/// The patches of the supports as they are, by their places: how far a patch lies from the nearest that lies where it does. Parts that all
/// lie alike tell more so than by their patches anywhere: a sound corner in the wrong place is no match. Owns its tensors;
/// reading is thread-safe.
/// </summary>
internal sealed partial class NearMatches : IDisposable
{
    // Of a grid: cells by which parts that lie alike still differ.
    private const double ReachOfSide = 2.0 / 28;

    // Rows of cells looked up at once: more compare cells that are too far apart anyway, fewer are many small products.
    private const int RowsAtOnce = 4;

    // Below every similarity.
    private const double TooFar = -4;

    private readonly Layer[] layers;

    private NearMatches(Layer[] layers) => this.layers = layers;

    private static int Reach(PatchGrid grid) => Math.Max(1, (int)Math.Round(ReachOfSide * Math.Max(grid.Rows, grid.Columns)));

    /// <summary>Of patches, by the cell that each comes from.</summary>
    /// <param name="patches">Of each layer, of unit length: [n, D].</param>
    /// <param name="cells">Of each layer's patches, the cell of the picture as it is, row by row;
    /// −1: of a turned or mirrored one, which has no place here.</param>
    /// <param name="grids">Of each layer.</param>
    /// <exception cref="ArgumentException">A cell lies outside its grid, or there is none.</exception>
    public static NearMatches Build(IReadOnlyList<Tensor> patches, IReadOnlyList<long[]> cells, IReadOnlyList<PatchGrid> grids)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var layers = new List<Layer>();
        for (var i = 0; i < patches.Count; i++)
        {
            layers.Add(Layer.Build(patches[i], cells[i], grids[i], layers));
        }

        foreach (var layer in layers)
        {
            layer.Keep();
        }

        return new NearMatches([.. layers]);
    }

    /// <summary>Of each layer, the patches that have a place, in the order of their cells, and those cells.</summary>
    public IReadOnlyList<(Tensor Patches, long[] Cells)> Layers => [.. layers.Select(layer => (layer.Patches, layer.Cells))];

    /// <summary>
    /// 1 − largest cosine similarity to the patches of the supports that lie within two cells of 28. [B, L_i, D_i] → [B, L_i].
    /// The caller owns them.
    /// </summary>
    /// <param name="patchTokens">[B, L_i, D_i] of each layer.</param>
    /// <param name="cells">Of each layer, the patches that count, by number, ascending; the others' distances are 0. Null: all.</param>
    public IReadOnlyList<Tensor> Distances(IReadOnlyList<Tensor> patchTokens, IReadOnlyList<long[]>? cells = null)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        // All first: libtorch's threads, woken here, go on spinning for a while.
        var units = patchTokens.Select(tokens => tokens.UnitLength(-1)).ToArray();
        return [.. layers.Select((layer, i) => layer.Distances(units[i], cells?[i]).MoveToOuterDisposeScope())];
    }

    public void Dispose()
    {
        foreach (var layer in layers)
        {
            layer.Dispose();
        }
    }

    /// <summary>
    /// One layer's patches in the order of their cells, so that neighbouring rows of the grid are neighbouring rows of the matrix.
    /// </summary>
    private sealed partial class Layer(Tensor patches, long[] lying, PatchGrid grid, Layer.Strip[] strips) : IDisposable
    {
        /// <summary>What lies apart is of places alone: a layer of the same ones as an earlier has its strips.</summary>
        public static Layer Build(Tensor all, long[] cells, PatchGrid grid, IEnumerable<Layer> earlier)
        {
            if (cells.Length != all.shape[0] || cells.Any(cell => cell < -1 || cell >= grid.Rows * grid.Columns)
                || cells.All(cell => cell < 0))
            {
                throw new ArgumentException(
                    $"cells: expected {all.shape[0]} numbers below {grid.Rows * grid.Columns}, one of them not negative.", nameof(cells));
            }

            var order = Enumerable.Range(0, cells.Length).Where(row => cells[row] >= 0).OrderBy(row => cells[row])
                .Select(row => (long)row).ToArray();
            var sorted = Array.ConvertAll(order, row => cells[row]);
            var strips = earlier.FirstOrDefault(layer => layer.LiesAs(sorted, grid))?.Strips ?? Strip.All(sorted, grid, all.device);
            return new Layer(all.index_select(0, tensor(order, device: all.device)), sorted, grid, strips);
        }

        public Tensor Patches => patches;

        public long[] Cells => lying;

        private Strip[] Strips => strips;

        private bool LiesAs(long[] cells, PatchGrid other)
            => (grid.Rows, grid.Columns) == (other.Rows, other.Columns) && lying.AsSpan().SequenceEqual(cells);

        public void Keep() => patches.DetachFromDisposeScope();

        public Tensor Distances(Tensor unit, long[]? counted)
        {
            var found = zeros(unit.shape[0], unit.shape[1], dtype: unit.dtype, device: unit.device);
            if (LargestProducts.Takes(unit, patches))
            {
                return Nearest(unit, counted, found);
            }

            foreach (var strip in strips)
            {
                using var scope = NewDisposeScope();
                var first = strip.FirstRow * grid.Columns;
                var count = strip.Cells;
                var own = counted?.Where(cell => cell >= first && cell < first + count).ToArray();
                if (own is { Length: 0 })
                {
                    continue;
                }

                // From the first cell of the strip.
                var places = own is null ? null : tensor(Array.ConvertAll(own, cell => cell - first), device: unit.device);
                var asked = Picked(unit.narrow(1, first, count), 1, places);                  // [B, n, D]
                var distances = strip.Count == 0
                    ? ones(asked.shape[0], asked.shape[1], dtype: unit.dtype, device: unit.device)
                    : asked.matmul(patches.narrow(0, strip.First, strip.Count).t()).FilledWhere(Picked(strip.Apart, 0, places), TooFar)
                        .amax([2]).AtLeast(-1).Complement();
                var answers = found.narrow(1, first, count);
                _ = places is null ? answers.copy_(distances) : answers.index_copy_(1, places, distances);
            }

            return found;
        }

        private Tensor Nearest(Tensor unit, long[]? counted, Tensor found)
        {
            using var scope = NewDisposeScope();
            var inspected = counted is null ? null : tensor(counted);
            for (var image = 0L; image < unit.shape[0]; image++)
            {
                var distances = LargestProducts.Near(unit[image], patches, lying, grid, Reach(grid)).AtLeast(-1).Complement();
                foreach (var strip in strips.Where(strip => strip.Count == 0))
                {
                    distances.narrow(0, strip.FirstRow * grid.Columns, strip.Cells).copy_(ones(strip.Cells));
                }

                var own = found[image];
                _ = inspected is null ? own.copy_(distances) : own.index_copy_(0, inspected, distances.index_select(0, inspected));
            }

            return found;
        }

        private static Tensor Picked(Tensor rows, long dimension, Tensor? places)
            => places is null ? rows : rows.index_select(dimension, places);

        public void Dispose()
        {
            patches.Dispose();
            foreach (var strip in strips)
            {
                strip.Dispose();
            }
        }

        /// <summary>Some rows of cells, and the patches of the supports near them.</summary>
        public sealed class Strip : IDisposable
        {
            private readonly Lazy<Tensor> apart;

            private Strip(int row, long[] cells, PatchGrid grid, Device device)
            {
                var reach = Reach(grid);
                var last = Math.Min(row + RowsAtOnce, grid.Rows);
                var first = Array.FindIndex(cells, cell => cell >= (long)(row - reach) * grid.Columns);
                var end = Array.FindIndex(cells, cell => cell >= (long)(last + reach) * grid.Columns);
                (FirstRow, Cells) = (row, (last - row) * grid.Columns);
                First = first < 0 ? cells.Length : first;
                var known = cells[First..(end < 0 ? cells.Length : end)];
                Count = known.Length;
                apart = new(() => LiesApart(known, grid, reach, device));
            }

            /// <summary>The first row of cells.</summary>
            public int FirstRow { get; }

            /// <summary>How many cells.</summary>
            public int Cells { get; }

            /// <summary>The first patch.</summary>
            public int First { get; }

            /// <summary>How many patches.</summary>
            public int Count { get; }

            /// <summary>Which cell and patch lie too far apart: [cells, patches]. Made when it is asked for: mostly never.</summary>
            public Tensor Apart => apart.Value;

            public static Strip[] All(long[] cells, PatchGrid grid, Device device) => [.. Enumerable
                .Range(0, (grid.Rows + RowsAtOnce - 1) / RowsAtOnce).Select(i => new Strip(i * RowsAtOnce, cells, grid, device))];

            public void Dispose()
            {
                if (apart.IsValueCreated)
                {
                    apart.Value.Dispose();
                }
            }

            private Tensor LiesApart(long[] known, PatchGrid grid, int reach, Device device)
            {
                var values = new bool[Cells * known.Length];
                for (var cell = 0; cell < Cells; cell++)
                {
                    var (down, across) = (FirstRow + (cell / grid.Columns), cell % grid.Columns);
                    for (var patch = 0; patch < known.Length; patch++)
                    {
                        values[(cell * known.Length) + patch] = Math.Abs((known[patch] / grid.Columns) - down) > reach
                            || Math.Abs((known[patch] % grid.Columns) - across) > reach;
                    }
                }

                return tensor(values, [Cells, known.Length], device: device).DetachFromDisposeScope();
            }
        }
    }
}
