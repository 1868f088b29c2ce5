using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Microsoft.ML.KagPrompt.Numerics;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.Kag.Paper;

/// <content>
/// What each patch's row becomes by itself: where it begins, what it takes up, what the next round's messages need of it.
/// </content>
internal sealed unsafe partial class FusedGraph
{
    private int BlocksOfNode => Blocks(patches);

    /// <summary>Blocks of a node's rows.</summary>
    public static int Blocks(int patches) => (patches + RowsAtOnce - 1) / RowsAtOnce;

    /// <summary>(1) of an image: V, which the rounds begin with.</summary>
    private void SetInitial(Tensor[] tokens, int image)
    {
        var rows = (long)Nodes * patches;
        using var projected = new RowBuffer(rows, pitch);
        ThreadTeam.Share(Nodes, next =>
        {
            for (int node; (node = next()) >= 0;)
            {
                Project(tokens[node], image, weights.Projections[node], projected.Row((long)node * patches));
            }
        });
        var kernels = GraphParameters.KernelSizes.Count;
        using var responses = new RowBuffer(kernels * rows, pitch);
        ThreadTeam.Share(kernels * Nodes * BlocksOfNode, next =>
        {
            for (int part; (part = next()) >= 0;)
            {
                var (node, row) = (part / BlocksOfNode % Nodes, part % BlocksOfNode * RowsAtOnce);
                // The kernel of most cells first.
                Respond(kernels - 1 - (part / BlocksOfNode / Nodes), node, row, projected, responses);
            }
        });
        ThreadTeam.Share(Nodes * side, next =>
        {
            for (int part; (part = next()) >= 0;)
            {
                Combine(responses, part / side, part % side);
            }
        });
    }

    private void Project(Tensor tokens, int image, (Panels Weight, Tensor Bias) layer, float* to)
    {
        var width = (int)tokens.shape[2];
        // A copy, for tiles read beyond the last row.
        using var rows = new RowBuffer(patches, width);
        new ReadOnlySpan<float>(TensorMemory.First(tokens) + ((nint)image * patches * width), patches * width)
            .CopyTo(new(rows.Row(0), patches * width));
        layer.Weight.Multiply(rows.Row(0), width, patches, to, pitch, TensorMemory.First(layer.Bias));
    }

    /// <summary>
    /// A kernel's responses at some cells. Cell after cell, over the ends of the grid's lines: what begins too near to an end is no
    /// response, and never read.
    /// </summary>
    private void Respond(int kernel, int node, int row, RowBuffer projected, RowBuffer responses)
    {
        var (height, width) = GraphParameters.KernelSizes[kernel];
        var count = Math.Min(RowsAtOnce, ((side - height) * side) + side - width + 1 - row);
        if (count > 0)
        {
            var (weight, bias) = weights.Kernels[kernel];
            var first = ((long)node * patches) + row;
            weight.Multiply(
                projected.Row(first), new(pitch, height, width * pitch, side * pitch), count,
                responses.Row(((long)kernel * Nodes * patches) + first), pitch, weights.Shape.Across, TensorMemory.First(bias));
        }
    }

    /// <summary>
    /// A line of cells: the kernels' responses, stretched over the grid so that the outer ones lie on its outer cells, their sum at unit
    /// length.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Combine(RowBuffer responses, int node, int y)
    {
        for (var x = 0; x < side; x++)
        {
            var row = ((long)node * patches) + (y * side) + x;
            float* to = state.Initial.Row(row), current = state.Current.Row(row);
            new Span<float>(to, pitch).Clear();
            for (var kernel = 0; kernel < GraphParameters.KernelSizes.Count; kernel++)
            {
                var (height, width) = GraphParameters.KernelSizes[kernel];
                var own = responses.Row(((long)kernel * Nodes + node) * patches);
                AddStretched(own, Between(y, side - height + 1), Between(x, side - width + 1), to);
            }

            var sum = Vector512<float>.Zero;
            for (var channel = 0; channel < pitch; channel += Lanes)
            {
                sum += Vector512.Load(to + channel) * Vector512.Load(to + channel);
            }

            var length = Vector512.Create(MathF.Max(MathF.Sqrt(Exponentials.Sum(sum)), 1e-12f));
            for (var channel = 0; channel < pitch; channel += Lanes)
            {
                var value = Vector512.Load(to + channel) / length;
                value.Store(to + channel);
                value.Store(current + channel);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void AddStretched(float* map, (int First, int Second, float Share) down, (int First, int Second, float Share) right, float* to)
    {
        var (lower, further) = (down.Share, right.Share);
        float* upper = map + ((nint)down.First * side * pitch), below = map + ((nint)down.Second * side * pitch);
        float* a = upper + (right.First * pitch), b = upper + (right.Second * pitch);
        float* c = below + (right.First * pitch), d = below + (right.Second * pitch);
        var (ofA, ofB) = (Vector512.Create((1 - lower) * (1 - further)), Vector512.Create((1 - lower) * further));
        var (ofC, ofD) = (Vector512.Create(lower * (1 - further)), Vector512.Create(lower * further));
        for (var channel = 0; channel < pitch; channel += Lanes)
        {
            var first = (Vector512.Load(a + channel) * ofA) + (Vector512.Load(b + channel) * ofB);
            var second = (Vector512.Load(c + channel) * ofC) + (Vector512.Load(d + channel) * ofD);
            (Vector512.Load(to + channel) + first + second).Store(to + channel);
        }
    }

    /// <summary>The responses that a cell lies between, and its share of the second.</summary>
    private (int First, int Second, float Share) Between(int cell, int responses)
    {
        var place = cell * ((responses - 1f) / (side - 1));
        var first = Math.Min((int)place, responses - 1);
        return (first, Math.Min(first + 1, responses - 1), place - first);
    }

    /// <summary>
    /// Of all patches' rows: (9) and (10) where messages were received, and what the messages of a round to come need of them.
    /// </summary>
    private void PassRows(bool isFirst, bool isLast) => ThreadTeam.Share(Nodes * BlocksOfNode, next =>
    {
        using var unit = new Unit(pitch);
        var before = -1;
        for (int part; (part = next()) >= 0;)
        {
            var (node, row) = (part / BlocksOfNode, part % BlocksOfNode * RowsAtOnce);
            var count = Math.Min(RowsAtOnce, patches - row);
            if (!isFirst)
            {
                if (node != before)
                {
                    SetGates(node, unit);
                    before = node;
                }

                Update(node, row, count, unit);
            }

            if (!isLast)
            {
                Prepare(node, row, count);
            }
        }
    });

    private void Prepare(int node, int row, int count)
    {
        var first = ((long)node * patches) + row;
        var rows = state.Current.Row(first);
        var across = weights.Shape.Across;
        state.Turned[node].SetColumns(row, count, rows, pitch);
        state.Own[node].SetRows(row, count, rows, pitch);
        var (queryAndKey, value, both) = (weights.QueryAndKey, weights.Value, state.QueriesAndKeys);
        queryAndKey.Weight.Multiply(rows, pitch, count, both.Row(first), both.Pitch, TensorMemory.First(queryAndKey.Bias));
        state.Keys[node].SetColumns(row, count, both.Row(first) + weights.Query, both.Pitch);
        var values = state.Values[node];
        value.Weight.Multiply(
            rows, RowWindow.OfMatrix(pitch, weights.Width), count, values.Panel(0) + ((nint)row * across), across, values.Step,
            TensorMemory.First(value.Bias));
        if (node < Nodes - 1)
        {
            weights.Along.Multiply(rows, pitch, count, state.Along.Row(first), pitch);
        }

        if (node > 0)
        {
            weights.Against.Multiply(rows, pitch, count, state.Against.Row(first), pitch);
        }
    }

    /// <summary>h_i = Σ a h, z and r = σ(W [h, N]), n = tanh(W [h, r N]), N = N + z (n − N).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Update(int node, int row, int count, Unit unit)
    {
        var first = ((long)node * patches) + row;
        var (updateAndReset, last) = (weights.UpdateAndReset, weights.Candidate);
        var (both, gates, candidate) = (unit.Both, unit.UpdateAndReset, unit.Candidate);
        for (var i = 0; i < count; i++)
        {
            Receive(node, row + i, unit.OfMessages, both.Row(i));
            new ReadOnlySpan<float>(state.Current.Row(first + i), pitch).CopyTo(new(both.Row(i) + pitch, pitch));
        }

        updateAndReset.Weight.Multiply(
            both.Row(0), both.Pitch, count, gates.Row(0), gates.Pitch, TensorMemory.First(updateAndReset.Bias));
        for (var i = 0; i < count; i++)
        {
            float* reset = gates.Row(i) + pitch, own = both.Row(i) + pitch;
            for (var channel = 0; channel < pitch; channel += Lanes)
            {
                (Exponentials.Sigmoid(Vector512.Load(reset + channel)) * Vector512.Load(own + channel)).Store(own + channel);
            }
        }

        last.Weight.Multiply(both.Row(0), both.Pitch, count, candidate.Row(0), pitch, TensorMemory.First(last.Bias));
        for (var i = 0; i < count; i++)
        {
            float* update = gates.Row(i), next = candidate.Row(i), own = state.Current.Row(first + i);
            for (var channel = 0; channel < pitch; channel += Lanes)
            {
                var before = Vector512.Load(own + channel);
                var change = Exponentials.Tanh(Vector512.Load(next + channel)) - before;
                (before + (Exponentials.Sigmoid(Vector512.Load(update + channel)) * change)).Store(own + channel);
            }
        }
    }

    /// <summary>a of (8), of each message to a node: the mean and the 1×1 convolution commute.</summary>
    private void SetGates(int node, Unit unit)
    {
        var share = Vector512.Create(1f / patches);
        for (var i = 0; i < Nodes; i++)
        {
            var sums = state.Sums.Row((((long)node * Nodes) + i) * BlocksOfNode);
            for (var channel = 0; channel < pitch; channel += Lanes)
            {
                var sum = Vector512<float>.Zero;
                for (var block = 0; block < BlocksOfNode; block++)
                {
                    sum += Vector512.Load(sums + ((nint)block * pitch) + channel);
                }

                (sum * share).Store(unit.Means.Row(i) + channel);
            }
        }

        var (weight, bias) = weights.Gate;
        weight.Multiply(unit.Means.Row(0), pitch, Nodes, unit.OfMessages.Row(0), pitch, TensorMemory.First(bias));
        var gates = unit.OfMessages.Row(0);
        for (var i = 0; i < Nodes * pitch; i += Lanes)
        {
            Exponentials.Sigmoid(Vector512.Load(gates + i)).Store(gates + i);
        }
    }

    /// <summary>(9) of a patch: what its node's loop and the three others send it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Receive(int node, int patch, RowBuffer gates, float* to)
    {
        var messages = state.Messages.Row(((long)node * Nodes * patches) + patch);
        for (var channel = 0; channel < pitch; channel += Lanes)
        {
            var sum = Vector512<float>.Zero;
            for (var i = 0; i < Nodes; i++)
            {
                sum += Vector512.Load(gates.Row(i) + channel) * Vector512.Load(messages + ((nint)i * patches * pitch) + channel);
            }

            sum.Store(to + channel);
        }
    }

    /// <summary>A thread's room for what some rows take up.</summary>
    private sealed class Unit(int pitch) : IDisposable
    {
        /// <summary>Of the messages to a node, their rows' means.</summary>
        public RowBuffer Means { get; } = new(Nodes, pitch);

        /// <summary>Their gates.</summary>
        public RowBuffer OfMessages { get; } = new(Nodes, pitch);

        /// <summary>[h, N], then [h, r N].</summary>
        public RowBuffer Both { get; } = new(RowsAtOnce, 2 * pitch);

        /// <summary>z and r.</summary>
        public RowBuffer UpdateAndReset { get; } = new(RowsAtOnce, 2 * pitch);

        /// <summary>n.</summary>
        public RowBuffer Candidate { get; } = new(RowsAtOnce, pitch);

        public void Dispose()
        {
            foreach (var part in (RowBuffer[])[Means, OfMessages, Both, UpdateAndReset, Candidate])
            {
                part.Dispose();
            }
        }
    }
}
