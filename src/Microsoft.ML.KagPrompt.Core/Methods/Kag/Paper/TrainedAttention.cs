using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Microsoft.ML.KagPrompt.Numerics;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.Kag.Paper;

/// <summary>
/// softmax(Q Kᵀ) V of many patches' rows, and the gradients of all three, by the library's own products. No weights are kept from the way
/// there: on the way back they are made again, some rows at a time.
/// </summary>
/// <remarks>The same bits whatever the number of threads. The tensors are of the scope that it is made in.</remarks>
internal sealed unsafe class TrainedAttention
{
    // Whole tiles of either instructions' rows.
    private const int RowsAtOnce = 42;
    private const int Lanes = Exponentials.Lanes;

    private readonly Tensor queries, keys, values;
    private readonly int count, patches, depth, width;
    private Tensor? given, byQueries, byKeys, byValues;

    /// <param name="queries">Q: [n, L, d].</param>
    /// <param name="keys">K: [n, L, d].</param>
    /// <param name="values">V: [n, L, w].</param>
    public TrainedAttention(Tensor queries, Tensor keys, Tensor values)
    {
        (this.queries, this.keys, this.values) = (Plain(queries), Plain(keys), Plain(values));
        (count, patches, depth) = ((int)queries.shape[0], (int)queries.shape[1], (int)queries.shape[2]);
        width = (int)values.shape[2];
        Output = empty(count, patches, width);
    }

    /// <summary>softmax(Q Kᵀ) V, once computed: [n, L, w].</summary>
    public Tensor Output { get; }

    /// <summary>By Q, K and V, once the output's gradient is known.</summary>
    public Tensor[] Gradients => [byQueries!, byKeys!.transpose(1, 2), byValues!.transpose(1, 2)];

    /// <summary>The outputs of several.</summary>
    public static void Compute(params ReadOnlySpan<TrainedAttention> all)
        => Each(all.ToArray(), (attention, part, room) => attention.Compute(part, room));

    /// <summary>The gradients of several, by those of their outputs.</summary>
    public static void Differentiate(params ReadOnlySpan<(TrainedAttention Attention, Tensor Gradient)> all)
    {
        foreach (var (attention, gradient) in all)
        {
            attention.given = Plain(gradient);
            // Of keys and values turned: their products come so.
            attention.byQueries = empty(attention.count, attention.patches, attention.depth);
            attention.byKeys = empty(attention.count, attention.depth, attention.patches);
            attention.byValues = empty(attention.count, attention.width, attention.patches);
        }

        Each([.. all.ToArray().Select(entry => entry.Attention)], (attention, part, room) => attention.Differentiate(part, room));
    }

    private static Tensor Plain(Tensor tensor) => tensor.detach().contiguous();

    private static void Each(TrainedAttention[] all, Action<TrainedAttention, int, Room> work)
    {
        using var alone = TorchThreads.Alone();
        ThreadTeam.Share(all.Sum(attention => attention.count), next =>
        {
            var (which, first) = (0, 0);
            Room? room = null;
            try
            {
                for (int part; (part = next()) >= 0;)
                {
                    for (; part - first >= all[which].count; which++)
                    {
                        first += all[which].count;
                    }

                    var own = all[which];
                    if (room?.Fits(own) != true)
                    {
                        room?.Dispose();
                        room = new(own.patches, own.depth, own.width);
                    }

                    work(own, part - first, room);
                }
            }
            finally
            {
                room?.Dispose();
            }
        });
    }

    private void Compute(int part, Room room)
    {
        room.TakeQueriesAndKeys(Of(queries, part, depth), Of(keys, part, depth));
        room.TakeValues(Of(values, part, width));
        var to = Of(Output, part, width);
        for (var row = 0; row < patches; row += RowsAtOnce)
        {
            var rows = Math.Min(RowsAtOnce, patches - row);
            room.SetWeights(row, rows);
            room.Values.Multiply(room.Weights.Row(0), room.Weights.Pitch, rows, room.OfValues.Row(0), room.OfValues.Pitch);
            Keep(room.OfValues, rows, width, to + ((nint)row * width));
        }
    }

    private void Differentiate(int part, Room room)
    {
        var back = room.Back;
        room.TakeQueriesAndKeys(Of(queries, part, depth), Of(keys, part, depth));
        back.Take(room, Of(keys, part, depth), Of(values, part, width), Of(given!, part, width));
        var to = Of(byQueries!, part, depth);
        for (var row = 0; row < patches; row += RowsAtOnce)
        {
            var rows = Math.Min(RowsAtOnce, patches - row);
            room.SetWeights(row, rows);
            back.AllWeights.SetRows(row, rows, room.Weights.Row(0), room.Weights.Pitch);
            back.TurnedValues.Multiply(back.Output.Row(row), back.Output.Pitch, rows, back.ByWeights.Row(0), back.ByWeights.Pitch);
            for (var i = 0; i < rows; i++)
            {
                ThroughSoftmax(room.Weights.Row(i), back.ByWeights.Row(i));
            }

            back.AllByScores.SetRows(row, rows, back.ByWeights.Row(0), back.ByWeights.Pitch);
            back.Keys.Multiply(back.ByWeights.Row(0), back.ByWeights.Pitch, rows, room.OfKeys.Row(0), room.OfKeys.Pitch);
            Keep(room.OfKeys, rows, depth, to + ((nint)row * depth));
        }

        // Kᵀ's and Vᵀ's gradients: Qᵀ times the scores', and the output's turned times the weights.
        back.AllByScores.Multiply(back.TurnedQueries.Row(0), patches, depth, back.Turned.Row(0), back.Turned.Pitch);
        Keep(back.Turned, depth, patches, Of(byKeys!, part, depth));
        back.AllWeights.Multiply(back.TurnedOutput.Row(0), patches, width, back.Turned.Row(0), back.Turned.Pitch);
        Keep(back.Turned, width, patches, Of(byValues!, part, width));
    }

    /// <summary>A row of P and of dP → of dS = P (dP − Σ P dP), in place of dP.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void ThroughSoftmax(float* weights, float* gradients)
    {
        var sum = Vector512<float>.Zero;
        for (var i = 0; i < patches; i += Lanes)
        {
            sum += Vector512.Load(weights + i) * Vector512.Load(gradients + i);
        }

        var mean = Vector512.Create(Exponentials.Sum(sum));
        for (var i = 0; i < patches; i += Lanes)
        {
            (Vector512.Load(weights + i) * (Vector512.Load(gradients + i) - mean)).Store(gradients + i);
        }
    }

    private float* Of(Tensor tensor, int part, int length) => TensorMemory.First(tensor) + ((nint)part * patches * length);

    private static void Keep(RowBuffer rows, int count, int length, float* to)
    {
        for (var i = 0; i < count; i++, to += length)
        {
            new ReadOnlySpan<float>(rows.Row(i), length).CopyTo(new(to, length));
        }
    }

    /// <summary>A thread's room for one of them at a time.</summary>
    private sealed class Room(int patches, int depth, int width) : IDisposable
    {
        private static readonly TileShape Shape = TileShape.Widest;

        private readonly RowBuffer queries = Rows(patches, depth);
        private readonly Panels turnedKeys = new(depth, patches, Shape);
        private BackRoom? back;

        /// <summary>V, whole panels.</summary>
        public Panels Values { get; } = new(patches, width, Shape);

        /// <summary>P of some rows.</summary>
        public RowBuffer Weights { get; } = Rows(RowsAtOnce, patches);

        public RowBuffer OfValues { get; } = Rows(RowsAtOnce, width);

        public RowBuffer OfKeys { get; } = Rows(RowsAtOnce, depth);

        /// <summary>What the way back needs, made when it is first asked for.</summary>
        public BackRoom Back => back ??= new(patches, depth, width);

        public bool Fits(TrainedAttention attention)
            => (attention.patches, attention.depth, attention.width) == (patches, depth, width);

        public void TakeQueriesAndKeys(float* queryRows, float* keyRows)
        {
            Fill(queries, patches, depth, queryRows);
            turnedKeys.SetColumns(0, patches, keyRows, depth);
        }

        public void TakeValues(float* rows)
        {
            using var whole = Rows(patches, width);
            Fill(whole, patches, width, rows);
            Values.SetRows(0, patches, whole.Row(0), whole.Pitch);
        }

        /// <summary>softmax(Q Kᵀ) of some rows.</summary>
        public void SetWeights(int row, int rows)
        {
            turnedKeys.Multiply(queries.Row(row), queries.Pitch, rows, Weights.Row(0), Weights.Pitch);
            for (var i = 0; i < rows; i++)
            {
                Exponentials.Softmax(Weights.Row(i), patches);
            }
        }

        public void Turn(RowBuffer to) => Turned(queries, patches, depth, to);

        public void Dispose()
        {
            foreach (var part in (IDisposable?[])[queries, turnedKeys, Values, Weights, OfValues, OfKeys, back])
            {
                part?.Dispose();
            }
        }

        /// <summary>Rows filled with zeros up to whole panels.</summary>
        public static RowBuffer Rows(int count, int length) => new(count, (length + Shape.Across - 1) / Shape.Across * Shape.Across);

        public static void Fill(RowBuffer rows, int count, int length, float* from)
        {
            for (var i = 0; i < count; i++, from += length)
            {
                new ReadOnlySpan<float>(from, length).CopyTo(new(rows.Row(i), length));
                new Span<float>(rows.Row(i) + length, rows.Pitch - length).Clear();
            }
        }

        /// <summary>Columns as rows, sixteen rows at a time: what is read stays near.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public static void Turned(RowBuffer rows, int count, int length, RowBuffer to)
        {
            for (var first = 0; first < count; first += Lanes)
            {
                var end = Math.Min(first + Lanes, count);
                for (var column = 0; column < length; column++)
                {
                    float* line = to.Row(column), from = rows.Row(first) + column;
                    for (var row = first; row < end; row++, from += rows.Pitch)
                    {
                        line[row] = *from;
                    }
                }
            }
        }

        /// <summary>The rest of it.</summary>
        public sealed class BackRoom(int patches, int depth, int width) : IDisposable
        {
            public Panels Keys { get; } = new(patches, depth, Shape);

            public Panels TurnedValues { get; } = new(width, patches, Shape);

            /// <summary>P, all rows.</summary>
            public Panels AllWeights { get; } = new(patches, patches, Shape);

            /// <summary>dS, all rows.</summary>
            public Panels AllByScores { get; } = new(patches, patches, Shape);

            /// <summary>dP of some rows, then dS.</summary>
            public RowBuffer ByWeights { get; } = Rows(RowsAtOnce, patches);

            /// <summary>dO.</summary>
            public RowBuffer Output { get; } = Rows(patches, width);

            public RowBuffer TurnedOutput { get; } = new(width, patches);

            public RowBuffer TurnedQueries { get; } = new(depth, patches);

            public RowBuffer Turned { get; } = Rows(Math.Max(width, depth), patches);

            public void Take(Room room, float* keyRows, float* valueRows, float* outputRows)
            {
                using var whole = Rows(patches, depth);
                Fill(whole, patches, depth, keyRows);
                Keys.SetRows(0, patches, whole.Row(0), whole.Pitch);
                TurnedValues.SetColumns(0, patches, valueRows, width);
                Fill(Output, patches, width, outputRows);
                Room.Turned(Output, patches, width, TurnedOutput);
                room.Turn(TurnedQueries);
            }

            public void Dispose()
            {
                foreach (var part in (IDisposable[])
                    [Keys, TurnedValues, AllWeights, AllByScores, ByWeights, Output, TurnedOutput, TurnedQueries, Turned])
                {
                    part.Dispose();
                }
            }
        }
    }
}
