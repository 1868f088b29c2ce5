using Microsoft.ML.KagPrompt.Methods.Kag.Paper;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Tests.Methods.Kag;

/// <summary>Attention by the library's own products, there and back, against libtorch's in 64 bit.</summary>
public sealed class TrainedAttentionTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();
    private readonly Generator random = new(11);

    [SkippableFact]
    public void Differentiate_SeveralOfDifferentSizes_EqualsTheDefinitionAndItsGradients()
    {
        Skip.If(ProductTiles.WidestLanes == 0, "The processor has no instructions for it.");
        // Neither patches nor channels fill tiles, panels or lanes.
        (int Count, int Patches, int Depth, int Width)[] sizes = [(3, 49, 5, 33), (2, 100, 40, 40), (1, 16, 16, 1)];
        var inputs = sizes.Select(size => (Tensor[])
        [
            New(size.Count, size.Patches, size.Depth), New(size.Count, size.Patches, size.Depth), New(size.Count, size.Patches, size.Width),
        ]).ToArray();
        var gradients = sizes.Select(size => New(size.Count, size.Patches, size.Width)).ToArray();
        var attentions = inputs.Select(input => new TrainedAttention(input[0], input[1], input[2])).ToArray();
        TrainedAttention.Compute(attentions);
        TrainedAttention.Differentiate([.. attentions.Zip(gradients)]);
        foreach (var (i, attention) in attentions.Index())
        {
            var exact = inputs[i].Select(input => input.to_type(ScalarType.Float64).requires_grad_(true)).ToArray();
            var output = exact[0].bmm(exact[1].transpose(1, 2)).softmax(-1).bmm(exact[2]);
            output.backward([gradients[i].to_type(ScalarType.Float64)]);
            attention.Output.ShouldBeClose(output, 1e-5, $"output {i}");
            foreach (var (found, of) in attention.Gradients.Zip(exact))
            {
                found.ShouldBeClose(of.grad!, 5e-5, $"gradients {i}");
            }
        }
    }

    [SkippableFact]
    public void Differentiate_AnyNumberOfThreads_IsTheSameBits()
    {
        Skip.If(ProductTiles.WidestLanes == 0, "The processor has no instructions for it.");
        var (queries, keys, values, gradient) = (New(5, 50, 12), New(5, 50, 12), New(5, 50, 20), New(5, 50, 20));
        var before = get_num_threads();
        try
        {
            float[] Of(int threads)
            {
                set_num_threads(threads);
                var attention = new TrainedAttention(queries, keys, values);
                TrainedAttention.Compute(attention);
                TrainedAttention.Differentiate((attention, gradient));
                return [.. attention.Gradients.Prepend(attention.Output).SelectMany(tensor => tensor.contiguous().data<float>().ToArray())];
            }

            Of(2).Should().Equal(Of(1));
        }
        finally
        {
            set_num_threads(before);
        }
    }

    public void Dispose()
    {
        random.Dispose();
        scope.Dispose();
    }

    private Tensor New(params long[] shape) => randn(shape, generator: random);
}
