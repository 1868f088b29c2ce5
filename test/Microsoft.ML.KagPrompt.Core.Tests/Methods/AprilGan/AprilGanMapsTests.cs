using Microsoft.ML.KagPrompt.Methods.AprilGan;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Methods.AprilGan;

public sealed class AprilGanMapsTests : IDisposable
{
    private readonly DisposeScope scope = torch.NewDisposeScope();
    private readonly torch.Generator random = new(5);

    [Fact]
    public void LayerMap_RandomPatches_EqualsLoops()
    {
        const int Side = 3;
        const int Size = 10;
        const int Width = 4;
        var (projected, text) = (torch.randn([1, Side * Side, Width], generator: random).UnitLength(-1),
            torch.randn([2, Width], generator: random).UnitLength(-1));

        var actual = AprilGanMaps.LayerMap(AprilGanMaps.Logits(projected, text),
            patches => PatchGrid.AlignedCorners(Side, Size).ToImage(patches, Size));

        var (p, t) = (projected.data<float>().ToArray(), text.data<float>().ToArray());
        double Logit(int row, int column, int group)
            => 100 * Enumerable.Range(0, Width).Sum(c => (double)p[(((row * Side) + column) * Width) + c] * t[(group * Width) + c]);
        var expected = new float[Size * Size];
        for (var y = 0; y < Size; y++)
        {
            for (var x = 0; x < Size; x++)
            {
                // Both planes are enlarged, corner on corner, before the softmax.
                double At(int group)
                {
                    var (v, u) = (y * (Side - 1.0) / (Size - 1), x * (Side - 1.0) / (Size - 1));
                    var (r, c) = (Math.Min((int)v, Side - 2), Math.Min((int)u, Side - 2));
                    var (down, right) = (v - r, u - c);
                    return ((1 - down) * (((1 - right) * Logit(r, c, group)) + (right * Logit(r, c + 1, group))))
                        + (down * (((1 - right) * Logit(r + 1, c, group)) + (right * Logit(r + 1, c + 1, group))));
                }

                expected[(y * Size) + x] = (float)(1 / (1 + Math.Exp(At(0) - At(1))));
            }
        }

        actual.ShouldBeClose(torch.tensor(expected, [1, Size, Size]), 1e-4, "probabilities");
    }

    [Fact]
    public void ImageScores_EmbeddingOfAnyLength_IsTheSoftmaxOfHundredCosines()
    {
        var scores = AprilGanMaps.ImageScores(torch.tensor(new[,] { { 3f, 0f }, { 0f, 0.5f } }),
            torch.tensor(new[,] { { 1f, 0f }, { 0.8f, 0.6f } })).data<float>().ToArray();
        scores[0].Should().BeApproximately((float)(1 / (1 + Math.Exp(100 * (1 - 0.8)))), 1e-7f);
        scores[1].Should().BeApproximately(1, 1e-6f);
    }

    [Fact]
    public void Transductive_ThreeImages_ScalesBetweenLeastAndLargest()
        => TransductiveScores.Compute([0.2f, 0.9f, 0.4f], [3, 1, 2]).Should().Equal(0.6f, 0.45f, 0.45f);

    [Theory]
    [InlineData(new float[0])]
    [InlineData(new[] { 2f })]
    [InlineData(new[] { 2f, 2f })]
    public void Transductive_NoRange_Refuses(float[] largest)
        => FluentActions.Invoking(() => TransductiveScores.Compute([.. largest], largest)).Should().Throw<ArgumentException>()
            .WithMessage("*not all equal*test set*");

    [Fact]
    public void Sentences_ForAProduct_NameItInEveryStateAndTemplate()
    {
        var sentences = AprilGanSentences.All.For("metal_nut");
        sentences.Normal.Should().HaveCount(245).And.OnlyHaveUniqueItems();
        sentences.Abnormal.Should().HaveCount(175).And.OnlyHaveUniqueItems();
        sentences.Normal[0].Should().Be("a bad photo of a metal nut.");
        sentences.Normal[35].Should().Be("a bad photo of a flawless metal nut.");
        sentences.Abnormal[^1].Should().Be("this is one metal nut with damage in the scene.");
    }

    public void Dispose()
    {
        random.Dispose();
        scope.Dispose();
    }
}
