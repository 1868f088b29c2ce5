using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.Kag.Paper;

/// <summary>
/// Equations (1) to (11) on the processor where nothing is trained, by the library's own products: image after image, of whose edges no
/// more is held than some rows'. What <see cref="KernelAwareGraph"/> has libtorch compute whole takes up to twice the time.
/// </summary>
/// <remarks>The same bits whatever the number of threads and of images.</remarks>
internal sealed unsafe partial class FusedGraph
{
    public const int Nodes = 4;

    /// <summary>Four loops, and from each node to each other.</summary>
    public const int Messages = Nodes * Nodes;

    // Whole tiles of either instructions' rows; few enough for the caches, enough to read weights seldom.
    private const int RowsAtOnce = 42;

    private const int Lanes = Exponentials.Lanes;

    private readonly FusedWeights weights;
    private readonly FusedNodes state;
    private readonly int side, patches, pitch;

    private FusedGraph(FusedWeights weights, FusedNodes state, int side)
        => (this.weights, this.state, this.side, patches, pitch) = (weights, state, side, side * side, weights.Pitch);

    /// <summary>
    /// Whether it takes these tokens: of 32 bit, in the memory of a processor that has the instructions, of a grid that no kernel is too
    /// large for.
    /// </summary>
    public static bool Takes(IReadOnlyList<Tensor> tokens)
        => !is_grad_enabled() && tokens.All(ProductTiles.Take)
            && MultiKernelConvolution.GridSide(tokens[0].shape[1])
                >= GraphParameters.KernelSizes.Max(size => Math.Max(size.Height, size.Width));

    /// <summary>P_i: 4 × [B, L, D_i] → O_i: [4, B, L, C']. The caller owns it.</summary>
    /// <param name="parameters">The prompt's.</param>
    /// <param name="config">The prompt's.</param>
    /// <param name="tokens">The patch tokens.</param>
    /// <param name="lanes">Of the instructions, 16 or 8; null: the widest.</param>
    public static Tensor Outputs(GraphParameters parameters, GraphPromptConfig config, IReadOnlyList<Tensor> tokens, int? lanes = null)
    {
        using var alone = TorchThreads.Alone();
        using var scope = NewDisposeScope();
        var (batch, patches) = ((int)tokens[0].shape[0], (int)tokens[0].shape[1]);
        using var weights = new FusedWeights(parameters, config, new(lanes ?? ProductTiles.WidestLanes));
        using var state = new FusedNodes(patches, weights);
        var graph = new FusedGraph(weights, state, (int)MultiKernelConvolution.GridSide(patches));
        Tensor[] known = [.. tokens.Select(layer => layer.contiguous())];
        var outputs = empty(Nodes, batch, patches, config.JointWidth);
        for (var image = 0; image < batch; image++)
        {
            graph.SetInitial(known, image);
            graph.PassRows(isFirst: true, isLast: config.Iterations == 0);
            for (var t = 1; t <= config.Iterations; t++)
            {
                graph.Send();
                graph.PassRows(isFirst: false, isLast: t == config.Iterations);
            }

            graph.Keep(outputs, image);
        }

        return outputs.MoveToOuterDisposeScope();
    }

    /// <summary>(3) to (7): every message of a round.</summary>
    private void Send() => ThreadTeam.Share(Messages * BlocksOfNode, next =>
    {
        using var scores = new RowBuffer(RowsAtOnce, weights.Filled(patches));
        for (int part; (part = next()) >= 0;)
        {
            Send(part / BlocksOfNode, part % BlocksOfNode, scores);
        }
    });

    /// <summary>
    /// From one node's patches to some of another's, e_ij = N_i W_c N_jᵀ and h_ji = softmax(e_ij) N_j; a node's own is
    /// α · softmax(q kᵀ) v + N_i.
    /// </summary>
    private void Send(int message, int block, RowBuffer scores)
    {
        var (receiver, sender) = Route(message);
        var isLoop = receiver == sender;
        // Rows of e_ji are the columns of e_ij: N_j W_cᵀ N_iᵀ.
        var queries = isLoop ? state.QueriesAndKeys : sender > receiver ? state.Along : state.Against;
        var (keys, values) = isLoop ? (state.Keys[sender], state.Values[sender]) : (state.Turned[sender], state.Own[sender]);
        var row = block * RowsAtOnce;
        var (count, first) = (Math.Min(RowsAtOnce, patches - row), ((long)receiver * patches) + row);
        keys.Multiply(queries.Row(first), queries.Pitch, count, scores.Row(0), scores.Pitch);
        for (var i = 0; i < count; i++)
        {
            Exponentials.Softmax(scores.Row(i), patches);
        }

        var to = state.Messages.Row(((long)message * patches) + row);
        values.Multiply(scores.Row(0), scores.Pitch, count, to, pitch);
        if (isLoop)
        {
            AddScaled(state.Current.Row(first), weights.Alpha, to, count * pitch);
        }

        AddRows(to, count, state.Sums.Row(((long)message * BlocksOfNode) + block));
    }

    /// <summary>Who receives and who sends: of each node its own loop, then what the others send it.</summary>
    private static (int Receiver, int Sender) Route(int message)
    {
        var (receiver, of) = Math.DivRem(message, Nodes);
        return (receiver, of == 0 ? receiver : of <= receiver ? of - 1 : of);
    }

    /// <summary>values = values · α + added.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddScaled(float* added, float alpha, float* values, int count)
    {
        var factor = Vector512.Create(alpha);
        for (var i = 0; i < count; i += Lanes)
        {
            ((Vector512.Load(values + i) * factor) + Vector512.Load(added + i)).Store(values + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AddRows(float* rows, int count, float* sums)
    {
        for (var channel = 0; channel < pitch; channel += Lanes)
        {
            var sum = Vector512<float>.Zero;
            for (var i = 0; i < count; i++)
            {
                sum += Vector512.Load(rows + (i * pitch) + channel);
            }

            sum.Store(sums + channel);
        }
    }

    /// <summary>(11): N^T + V.</summary>
    private void Keep(Tensor outputs, int image)
    {
        var batch = (int)outputs.shape[1];
        for (var node = 0; node < Nodes; node++)
        {
            var to = TensorMemory.First(outputs) + ((((nint)node * batch) + image) * patches * weights.Width);
            for (var patch = 0; patch < patches; patch++, to += weights.Width)
            {
                var row = ((long)node * patches) + patch;
                float* last = state.Current.Row(row), first = state.Initial.Row(row);
                for (var channel = 0; channel < weights.Width; channel++)
                {
                    to[channel] = last[channel] + first[channel];
                }
            }
        }
    }
}
