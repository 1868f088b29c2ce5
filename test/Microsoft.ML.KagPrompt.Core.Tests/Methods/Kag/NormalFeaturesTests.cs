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

    private long Each => NormalFeatures.BytesOf(Encoder);

    [Fact]
    public void Encode_KeptAndNot_GivesEveryImageItsOwnFeatures()
    {
        using var features = Features(mostBytes: 3 * Each);
        // Kept and not kept in turns, some met again, in another place and beside others.
        foreach (var order in (int[][])[[4, 1, 3, 0], [0, 4, 1], [2, 3], [1, 2, 0, 4]])
        {
            var batch = Batch(order, twins: 10 * order[0]);
            using var scope = torch.NewDisposeScope();
            var (tokens, embedding) = features.Encode(batch);
            var squares = batch.Normal.Select(image => image.Square).Concat(batch.Twins.Select(twin => twin.Image)).ToArray();
            tokens.Append(embedding).Should().AllSatisfy(tensor => (tensor.shape[0], tensor.requires_grad).Should().Be((squares.Length, false)));
            for (var i = 0; i < squares.Length; i++)
            {
                using var alone = Encoder.Encode([squares[i]]);
                embedding[i].ShouldBeClose(alone.ImageEmbedding[0], 1e-5, $"embedding {i}");
                for (var layer = 0; layer < tokens.Length; layer++)
                {
                    tokens[layer][i].ShouldBeClose(alone.PromptTokens[layer][0], 1e-4, $"layer {layer} of {i}");
                }
            }
        }
    }

    [Fact]
    public void Encode_AfterOthersOrFirst_GivesTheSameBits()
    {
        byte[] Last(params int[][] orders)
        {
            using var features = Features(mostBytes: 3 * Each);
            using var scope = torch.NewDisposeScope();
            return Bytes(orders.Select(order => features.Encode(Batch(order))).ToArray()[^1]);
        }

        // As a training that was never broken off meets a batch, and one that goes on there.
        Last([3, 1, 4, 0], [2, 0], [0, 4, 2, 1]).Should().Equal(Last([0, 4, 2, 1]));
    }

    [Fact]
    public void Encode_KeptImages_AreEncodedOnceAndOthersAgain()
    {
        using var features = Features(mostBytes: (3 * Each) + 1);
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
        using var features = new NormalFeatures(Encoder, normal, shown);
        using var scope = torch.NewDisposeScope();
        features.Encode(Batch([0, 1, 2, 3, 4]));
        features.Kept.Should().Be(kept);
    }

    [Fact]
    public void BytesOf_AnImage_AreThoseOfItsTensors()
    {
        using var alone = Encoder.Encode([normal[0].Square]);
        Each.Should().Be(alone.PromptTokens.Append(alone.ImageEmbedding).Sum(tensor => tensor.contiguous().bytes.Length));
    }

    public void Dispose() => backbone.Dispose();

    private static byte[] Bytes((torch.Tensor[] PromptTokens, torch.Tensor ImageEmbedding) features)
        => [.. features.PromptTokens.Append(features.ImageEmbedding).SelectMany(tensor => tensor.contiguous().bytes.ToArray())];

    private NormalFeatures Features(long mostBytes) => new(Encoder, normal, Shown, mostBytes);

    /// <summary>Twins are nothing like their images.</summary>
    private TwinBatch Batch(int[] order, int twins = 50) => new([.. order.Select(i => normal[i])],
        [.. order.Select((_, i) => new SyntheticImage(TestImages.Noise(Side, Side, 100 + twins + i), [], [], true, 1))], Epoch: 1);
}
