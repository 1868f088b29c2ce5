using Microsoft.ML.KagPrompt.Numerics;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Methods.Kag.Paper;

/// <summary>
/// The rounds of <see cref="KernelAwareGraph"/> where they are trained on the processor: what libtorch differentiates is cut at each
/// round's nodes and at what its patches attend to, which <see cref="TrainedAttention"/> computes there and back.
/// </summary>
/// <remarks>Its tensors are of the scope that it is made and called in.</remarks>
internal sealed class TrainedRounds
{
    private readonly Stack<Round> rounds = new();
    private readonly Tensor initial;

    /// <param name="graph">Whose rounds they are.</param>
    /// <param name="initial">N^0 = V: [4, B, L, C'], with gradients.</param>
    /// <param name="iterations">T.</param>
    public TrainedRounds(KernelAwareGraph graph, Tensor initial, int iterations)
    {
        this.initial = initial;
        var nodes = initial;
        for (var t = 1; t <= iterations; t++)
        {
            var round = new Round(graph, Cut(nodes));
            rounds.Push(round);
            nodes = round.Next;
        }

        Final = Cut(nodes);
        Initial = Cut(initial);
    }

    /// <summary>N^T, where a loss's own gradient ends.</summary>
    public Tensor Final { get; }

    /// <summary>V, where the gradient of what reads it beside the rounds ends.</summary>
    public Tensor Initial { get; }

    /// <summary>Takes the gradients of <see cref="Final"/> and <see cref="Initial"/> to all that they were made of.</summary>
    public void Backward()
    {
        var gradient = Final.grad!;
        while (rounds.TryPop(out var round))
        {
            gradient = round.Backward(gradient);
        }

        initial.backward([Initial.grad is { } beside ? gradient.Plus(beside) : gradient]);
    }

    private static Tensor Cut(Tensor tensor) => tensor.detach().requires_grad_(true);

    /// <summary>One round, N^(t-1) → N^t.</summary>
    private sealed class Round
    {
        private readonly Tensor nodes;
        private readonly Tensor[][] inputs;
        private readonly TrainedAttention[] attentions;
        private readonly Tensor[] outputs;

        public Round(KernelAwareGraph graph, Tensor nodes)
        {
            this.nodes = nodes;
            inputs = graph.Attending(nodes);
            attentions = [.. inputs.Select(input => new TrainedAttention(input[0], input[1], input[2]))];
            TrainedAttention.Compute(attentions);
            outputs = [.. attentions.Select(attention => attention.Output.requires_grad_(true))];
            Next = graph.Heard(nodes, outputs);
        }

        public Tensor Next { get; }

        /// <summary>From the gradient of the round's nodes to that of those before it.</summary>
        public Tensor Backward(Tensor gradient)
        {
            Next.backward([gradient]);
            TrainedAttention.Differentiate([.. attentions.Zip(outputs, (attention, output) => (attention, output.grad!))]);
            // What several attend to has the sum of its gradients; told together, each way back to the nodes is gone once.
            autograd.backward([.. inputs.SelectMany(input => input)], [.. attentions.SelectMany(attention => attention.Gradients)]);
            return nodes.grad!;
        }
    }
}
