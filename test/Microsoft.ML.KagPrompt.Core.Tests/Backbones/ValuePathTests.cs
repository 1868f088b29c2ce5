using Microsoft.ML.KagPrompt.Backbones.Vit;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Backbones;

/// <summary>The stream of values beside a transformer's ordinary one, at other depths than the golden tower's twelve.</summary>
public sealed class ValuePathTests : IDisposable
{
    private readonly DisposeScope scope = torch.NewDisposeScope();

    [Theory]
    [InlineData(14, 2, 0)]
    [InlineData(5, 0, 3)]
    public void ValueSteps_AnyDepth_LeaveTheOrdinaryStreamTwelveBlocksBeforeTheEnd(int depth, int shared, int registers)
    {
        using var tower = Tower(depth, registers);
        using var noGradients = torch.no_grad();
        var images = Images();
        var alike = tower.ValueSteps(images).Select(step => step.Value.Minus(step.Original).abs().max().Value() == 0).ToArray();
        alike.Should().Equal(Enumerable.Range(0, depth).Select(block => block < shared));
    }

    [Fact]
    public void EncodeValuePath_OrdinaryStream_IsThatOfTheTower()
    {
        using var tower = Tower(5, registers: 2);
        using var features = tower.EncodeValuePath(Images(), [3, 1]);
        using var plain = tower.Encode(Images());
        features.ImageEmbedding.UnitLength(-1).ShouldBeClose(plain.ImageEmbedding, 1e-6, "class token");
        features.PatchEmbeddings.shape.Should().Equal(2, 9, 6);
        features.Attended.Should().HaveCount(2);
        features.Attended[0].ShouldNotEqual(features.Attended[1]);
        features.Attended[1].shape.Should().Equal(2, 9, 8);
        features.Attended[1].ShouldNotEqual(plain.PatchTokens[0]);
    }

    public void Dispose() => scope.Dispose();

    private static torch.Tensor Images()
    {
        using var random = new torch.Generator(4);
        return torch.randn([2, 3, 12, 12], generator: random);
    }

    private static VisionTransformer Tower(int depth, int registers)
    {
        var config = new VisionTransformerConfig { Width = 8, Depth = depth, Heads = 2, MlpWidth = 16, PatchSize = 4, ImageSize = 12,
            JointWidth = 6, Registers = registers };
        using var random = new torch.Generator(9);
        return new(config, new WeightSet(VisionTransformer.Shapes(config)
            .ToDictionary(entry => entry.Key, entry => torch.randn(entry.Value, generator: random).Times(0.3).DetachFromDisposeScope())));
    }
}

file static class Differing
{
    public static void ShouldNotEqual(this torch.Tensor one, torch.Tensor other)
        => one.Minus(other).abs().max().Value().Should().BeGreaterThan(1e-4f);
}
