using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Methods.Kag;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Methods.Kag;

/// <summary>Features that are kept are those of their image, as plain encoding gives them, whatever is kept and whenever it came.</summary>
public sealed class NormalFeaturesTests : IDisposable
{
    private const int Side = 56;
    private const int Shown = 100;

    private readonly KagPromptModel backbone = KagPromptTrainer.Fit([new TrainingImage { Image = TestImages.Part(Side, Side, 0) }],
        new FitChoices { Epochs = 0, FromScratch = true, ImageSize = Side, Seed = 5 });

    private readonly ProductImage[] normal = [.. Enumerable.Range(0, 5).Select(i => new ProductImage(TestImages.Noise(Side, Side, i), "a"))];

    private FeatureEncoder Encoder => backbone.Network.Encoder;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Encode_KeptAndNot_GivesEveryImageItsOwnFeatures(bool forGraph)
    {
        using var features = Features(forGraph, mostBytes: 3 * Each(forGraph));
        // Kept and not kept in turns, some met again, in another place and beside others.
        foreach (var order in (int[][])[[4, 1, 3, 0], [0, 4, 1], [2, 3], [1, 2, 0, 4]])
        {
            var batch = Batch(order, twins: 10 * order[0]);
            using var scope = torch.NewDisposeScope();
            var seen = features.Encode(batch);
            var squares = batch.Normal.Select(image => image.Square).Concat(batch.Twins.Select(twin => twin.Image)).ToArray();
            seen.Should().AllSatisfy(tensor => (tensor.shape[0], tensor.requires_grad).Should().Be((squares.Length, false)));
            for (var i = 0; i < squares.Length; i++)
            {
                using var alone = Encoder.Encode([squares[i]]);
                var expected = Seen(forGraph, alone);
                seen.Should().HaveSameCount(expected);
                for (var part = 0; part < seen.Length; part++)
                {
                    seen[part][i].ShouldBeClose(expected[part][0], 1e-4, $"part {part} of {i}");
                }
            }
        }
    }

    [Fact]
    public void Encode_AfterOthersOrFirst_GivesTheSameBits()
    {
        byte[] Last(params int[][] orders)
        {
            using var features = Features(true, mostBytes: 3 * Each(true));
            using var scope = torch.NewDisposeScope();
            return Bytes(orders.Select(order => features.Encode(Batch(order))).ToArray()[^1]);
        }

        // As a training that was never broken off meets a batch, and one that goes on there.
        Last([3, 1, 4, 0], [2, 0], [0, 4, 2, 1]).Should().Equal(Last([0, 4, 2, 1]));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Encode_KeptImages_AreEncodedOnceAndOthersAgain(bool forGraph)
    {
        // A byte short of four: that says, too, how many an image takes.
        using var features = Features(forGraph, mostBytes: (4 * Each(forGraph)) - 1);
        using var scope = torch.NewDisposeScope();
        features.Kept.Should().Be(0, "nothing is encoded before it is met");
        features.Encode(Batch([0, 4]));
        features.Kept.Should().Be(1);
        features.Encode(Batch([0, 1, 2, 3, 4]));
        features.Kept.Should().Be(3, "of more there is no room");
        var before = Bytes(features.Encode(Batch([0, 3])));
        // A picture that changes, as none does, shows who looks at it again.
        normal[0].Square.Rgb.AsSpan().Clear();
        Bytes(features.Encode(Batch([0, 3]))).Should().Equal(before);
        normal[3].Square.Rgb.AsSpan().Clear();
        Bytes(features.Encode(Batch([0, 3]))).Should().NotEqual(before);
    }

    [Theory]
    [InlineData(5, 0)]
    [InlineData(6, 5)]
    public void Encode_EachImageOnce_KeepsNothing(int shown, int kept)
    {
        using var features = NormalFeatures.ForGraph(Encoder, normal, shown);
        using var scope = torch.NewDisposeScope();
        features.Encode(Batch([0, 1, 2, 3, 4]));
        features.Kept.Should().Be(kept);
    }

    public void Dispose() => backbone.Dispose();

    private static torch.Tensor[] Seen(bool forGraph, VisionFeatures features)
        => [.. forGraph ? features.PromptTokens.Append(features.ImageEmbedding) : features.PatchTokens];

    private static byte[] Bytes(torch.Tensor[] features) => [.. features.SelectMany(tensor => tensor.contiguous().bytes.ToArray())];

    private long Each(bool forGraph)
    {
        using var alone = Encoder.Encode([normal[0].Square]);
        return Bytes(Seen(forGraph, alone)).Length;
    }

    private NormalFeatures Features(bool forGraph, long mostBytes) => forGraph ? NormalFeatures.ForGraph(Encoder, normal, Shown, mostBytes)
        : NormalFeatures.ForHeads(Encoder, normal, Shown, mostBytes);

    /// <summary>Twins are nothing like their images.</summary>
    private TwinBatch Batch(int[] order, int twins = 50) => new([.. order.Select(i => normal[i])],
        [.. order.Select((_, i) => new SyntheticImage(TestImages.Noise(Side, Side, 100 + twins + i), [], [], true, 1))], Epoch: 1);
}
