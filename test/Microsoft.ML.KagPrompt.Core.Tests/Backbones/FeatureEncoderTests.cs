using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Backbones;

/// <summary>How many images go through a tower together.</summary>
public sealed class FeatureEncoderTests
{
    [Theory]
    [InlineData(256, 8, new[] { 5 })]
    [InlineData(512, 2, new[] { 2, 2, 1 })]
    [InlineData(1024, 1, new[] { 1, 1, 1, 1, 1 })]
    public void Encode_LargerImages_FewerAtOnceInTheSameOrder(int side, int atOnce, int[] batches)
    {
        var tower = new Watched(withPrompt: side == 512);
        using var encoder = new FeatureEncoder(new(new NetworkTower("watched", tower, null, null)), null, new() { Size = side }, torch.CPU);
        encoder.ImagesAtOnce.Should().Be(atOnce);
        var squares = Enumerable.Range(0, 5).Select(i => new PixelBuffer(side, side, Filled(side, (byte)(10 * i)))).ToArray();
        using var features = encoder.Encode(squares);
        tower.Batches.Should().Equal(batches);
        features.ImageEmbedding.shape.Should().Equal(5, 1);
        float[] expected = [.. Enumerable.Range(0, 5).Select(i => 10 * i / 255f)];
        foreach (var tensor in features.Tensors)
        {
            tensor.IsInvalid.Should().BeFalse("it is the caller's");
            tensor.flatten().data<float>().ToArray().Should().Equal(expected, (a, b) => Math.Abs(a - b) < 1e-6f);
        }

        features.Tensors.Should().HaveCount(side == 512 ? 4 : 3);
    }

    [Fact]
    public void EncodeForScoring_TowerWithAPromptsOwnView_DisposesThatToo()
    {
        using var encoder = new FeatureEncoder(
            new(new NetworkTower("watched", new Watched(withPrompt: true), null, null)), null, new() { Size = 256 }, torch.CPU);
        var features = encoder.EncodeForScoring([new PixelBuffer(256, 256, Filled(256, 10))], usesMain: true);
        var seen = features.ForPrompt!.PromptTokens[0];
        features.Tensors.Should().Contain(seen).And.HaveCount(4);
        features.Dispose();
        seen.IsInvalid.Should().BeTrue();
    }

    private static byte[] Filled(int side, byte value)
    {
        var rgb = new byte[3 * side * side];
        Array.Fill(rgb, value);
        return rgb;
    }

    /// <summary>Every feature is an image's first value.</summary>
    private sealed class Watched(bool withPrompt) : IVisionTower
    {
        public List<int> Batches { get; } = [];

        public VisionTowerInfo Info { get; } = new()
        {
            PatchSize = 8, TapWidths = [1, 1], JointWidth = 1, ImageSize = 256, Mean = [0, 0, 0], Std = [1, 1, 1],
        };

        public string Family => "watched";

        public string ConfigurationJson => "{}";

        public IReadOnlyDictionary<string, torch.Tensor> Weights { get; } = new Dictionary<string, torch.Tensor>();

        public VisionFeatures Encode(torch.Tensor images, bool forPrompt)
        {
            Batches.Add((int)images.shape[0]);
            torch.Tensor First() => images.flatten(1).narrow(1, 0, 1).clone();
            return new([First().unsqueeze(1), First().unsqueeze(1)], First(), withPrompt ? [First().unsqueeze(1)] : null);
        }

        public void MoveTo(torch.Device device) => throw new NotSupportedException();

        public void Dispose()
        {
        }
    }
}
