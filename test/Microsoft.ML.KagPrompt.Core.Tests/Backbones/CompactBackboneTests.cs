using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Backbones.Compact;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.TestSupport;
using Microsoft.ML.KagPrompt.Text;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Backbones;

public class CompactBackboneTests
{
    [Fact]
    public void Resource_SizeAndVocabulary_KeepTheirBudgets()
    {
        using var stream = typeof(CompactBackbone).Assembly.GetManifestResourceStream("compact.safetensors")!;
        stream.Length.Should().BeLessThanOrEqualTo(12 << 20);
        using var text = CompactBackbone.Embedded.LoadText()!;
        text.Tokenizer.VocabularySize.Should().BeLessThanOrEqualTo(4096);
        text.Tokenizer.Encode("Ölabstreifring № 7 🔩").Should().HaveCount(CompactBackbone.ContextLength);
    }

    [Theory]
    [InlineData(224)]
    [InlineData(280)]
    [InlineData(112)]
    public void Encode_AnySize_GivesFourGridsAndAUnitEmbedding(int side)
    {
        using var scope = torch.NewDisposeScope();
        using var vision = Vision();
        using var features = vision.Encode(torch.rand([2, 3, side, side]));
        var patches = (long)(side / 14) * (side / 14);
        features.PatchTokens.Select(tokens => tokens.shape).Should().BeEquivalentTo(vision.Info.TapWidths.Select(width => new[] { 2L, patches, width }));
        features.ImageEmbedding.Squared().sum(1).data<float>().ToArray().Should().AllSatisfy(length => length.Should().BeApproximately(1, 1e-4f));
    }

    [Fact]
    public void TextFeatures_NormalAndAbnormal_AreUnitAndDiffer()
    {
        using var scope = torch.NewDisposeScope();
        using var side = CompactBackbone.Embedded.LoadText()!;
        foreach (var name in (string[])["object", "metal_nut", "Zahnriemen"])
        {
            var text = TextFeatures.Encode(side.Tower, side.Tokenizer, PromptEnsemble.Paper(name), torch.CPU);
            text.shape.Should().Equal(2, side.Tower.JointWidth);
            text.Squared().sum(1).data<float>().ToArray().Should().AllSatisfy(length => length.Should().BeApproximately(1, 1e-4f));
            // Apart enough to tell, near enough that 100 · cosine does not saturate.
            text[0].Minus(text[1]).Squared().sum().sqrt().Value().Should().BeInRange(0.02f, 0.3f, name);
        }
    }

    [Fact]
    public void Factory_ConfigurationAndWeights_RebuildTheSameTower()
    {
        using var scope = torch.NewDisposeScope();
        using var vision = Vision();
        using var stream = new MemoryStream();
        SafetensorsWriter.Write(stream, vision.Weights, new Dictionary<string, string>());
        stream.Position = 0;
        using var file = SafetensorsFile.Read(stream, "weights");
        using var again = VisionTowerFactory.Create(vision.Family, vision.ConfigurationJson, file);
        var images = torch.rand([1, 3, 224, 224]);
        using var expected = vision.Encode(images);
        using var actual = again.Encode(images);
        actual.PatchTokens[3].eq(expected.PatchTokens[3]).all().ToBoolean().Should().BeTrue();
    }

    [Fact]
    public void Encode_FromSeveralThreads_GivesTheSame()
    {
        using var vision = Vision();
        using var images = torch.rand([1, 3, 112, 112]);
        using var expected = vision.Encode(images);
        Parallel.For(0, 8, _ =>
        {
            using var scope = torch.NewDisposeScope();
            using var features = vision.Encode(images);
            (features.ImageEmbedding - expected.ImageEmbedding).abs().max().ToSingle().Should().BeLessThan(1e-5f);
        });
    }

    private static IVisionTower Vision() => CompactBackbone.Embedded.LoadVision(torch.ScalarType.Float32, roundToHalf: false);

    [Theory]
    [InlineData("compact", """{"StageWidths":[1000000000,1,1,1]}""")]
    [InlineData("compact", """{"Unknown":1}""")]
    [InlineData("compact", "{")]
    [InlineData("unheard-of", "{}")]
    public void Factory_DamagedConfiguration_IsRefused(string family, string json)
    {
        using var stream = new MemoryStream();
        SafetensorsWriter.Write(stream, new Dictionary<string, torch.Tensor>(), new Dictionary<string, string>());
        stream.Position = 0;
        using var file = SafetensorsFile.Read(stream, "weights");
        FluentActions.Invoking(() => VisionTowerFactory.Create(family, json, file)).Should().Throw<ModelFormatException>();
    }
}
