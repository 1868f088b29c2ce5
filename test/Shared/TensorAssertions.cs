using TorchSharp;

namespace Microsoft.ML.KagPrompt.TestSupport;

/// <summary>Comparisons of tensors under a named tolerance.</summary>
internal static class TensorAssertions
{
    /// <summary>Float32 stages against golden values of O(1).</summary>
    public const double StageTolerance = 1e-4;

    /// <summary>Asserts equal shapes and a largest absolute difference within the tolerance.</summary>
    public static void ShouldBeClose(this torch.Tensor actual, torch.Tensor expected, double tolerance, string because)
    {
        using var scope = torch.NewDisposeScope();
        actual.shape.Should().Equal(expected.shape, because);
        var difference = (actual.detach().cpu().to_type(torch.ScalarType.Float64) - expected.detach().cpu().to_type(torch.ScalarType.Float64)).abs();
        difference.max().ToDouble().Should().BeLessThanOrEqualTo(tolerance, because);
    }
}
