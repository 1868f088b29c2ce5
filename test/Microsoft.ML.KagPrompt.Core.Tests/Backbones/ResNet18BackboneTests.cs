using System.Text.Json;
using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Backbones.Residual;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Numerics;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Backbones;

/// <summary>
/// The embedded ResNet18 against what ONNX Runtime says of the file it was taken from (eng/, ResNet18Weights, writes the fixture).
/// </summary>
public class ResNet18BackboneTests
{
    private const int Side = 224;

    [Fact]
    public void Encode_PictureOfAFormula_HasTheStagesOfThePublishedFile()
    {
        var golden = JsonSerializer.Deserialize<float[][]>(File.ReadAllText("Fixtures/resnet18_stages.json"))!;
        using var scope = torch.NewDisposeScope();
        using var tower = Vision();
        var preprocessor = new ImagePreprocessor(Side, ResizeMode.Stretch, tower.Info.Mean, tower.Info.Std);
        using var features = tower.Encode(preprocessor.Normalize([Formula()]));
        features.PatchTokens.Select(tokens => tokens.shape)
            .Should().BeEquivalentTo([[1L, 784, 64], [1L, 784, 128], new[] { 1L, 784, 256 }], strict => strict.WithStrictOrdering());
        // The third stage's own cells are every second one of the tap's, which reads linearly between them.
        var every = torch.TensorIndex.Slice(step: 2);
        var deepest = features.PatchTokens[2].view(1, 28, 28, 256).index(torch.TensorIndex.Colon, every, every).flatten(1, 2);
        foreach (var (tokens, means) in new[] { features.PatchTokens[0], features.PatchTokens[1], deepest }.Zip(golden))
        {
            // Weights in 16 bit: values differ by less than a hundredth of the usual one.
            var usual = means.Average();
            tokens.mean([0, 1]).data<float>().ToArray().Zip(means, (got, expected) => Math.Abs(got - expected)).Max()
                .Should().BeLessThan(0.01f * usual);
        }

        (features.ImageEmbedding - deepest.mean([1]).UnitLength(-1)).abs().max().ToSingle().Should().BeLessThan(1e-5f);
    }

    [Fact]
    public void Encode_OneCell_IsTheMeanOfTheCellsItCoversOrLiesBetween()
    {
        using var scope = torch.NewDisposeScope();
        using var tower = (ResidualNetwork)Vision();
        using var images = torch.rand([1, 3, 64, 64]);
        using var nothing = torch.no_grad();
        var stage = tower.Stages(images)[0];                     // [1, 64, 16, 16]
        using var features = tower.Encode(images);
        var expected = stage[0, torch.TensorIndex.Colon, torch.TensorIndex.Slice(4, 6), torch.TensorIndex.Slice(10, 12)].mean([1, 2]);
        (features.PatchTokens[0][0, (2 * 8) + 5] - expected).abs().max().ToSingle().Should().BeLessThan(1e-5f);
        var third = tower.Stages(images)[2];                     // [1, 256, 4, 4]
        var between = (third[0, torch.TensorIndex.Colon, 1, 2] + third[0, torch.TensorIndex.Colon, 1, 3]) / 2;
        (features.PatchTokens[2][0, (2 * 8) + 5] - between).abs().max().ToSingle().Should().BeLessThan(1e-5f);
    }

    [Fact]
    public void TapGrids_EveryTap_StartWhereItsFirstCellWasSeenToLook()
    {
        using var tower = Vision();
        tower.Info.TapGrids(Side).Should().Equal(
            new PatchGrid(28, 28, 2 + 2.5, 8, 2 + 1.65, 8), new PatchGrid(28, 28, 5.35, 8, 4.5, 8),
            new PatchGrid(28, 28, 10.4, 8, 9.55, 8));
    }

    [Fact]
    public void LoadVision_OwnTaps_AreThoseStages()
    {
        using var tower = BackboneSources.Open(BackboneSources.ResNet18, [])
            .LoadVision(torch.ScalarType.Float32, roundToHalf: false, [2, 3]);
        tower.Info.TapWidths.Should().Equal(128, 256);
        FluentActions.Invoking(() => BackboneSources.Open(BackboneSources.ResNet18, [])
                .LoadVision(torch.ScalarType.Float32, roundToHalf: false, [1, 5]))
            .Should().Throw<ArgumentException>().WithMessage("*Taps*1 to 3*1,5*");
    }

    [Theory]
    [InlineData(1, 224)]
    [InlineData(2, 112)]
    [InlineData(3, 72)]
    public void Stages_WithoutGradients_AreThoseOfLibtorch(int images, int side)
    {
        using var tower = (ResidualNetwork)Vision();
        BothWays(tower, images, side);
    }

    [Fact]
    public void Stages_BottlenecksWithoutGradients_AreThoseOfLibtorch()
    {
        var config = new ResidualNetworkConfig
        {
            StemWidth = 32, StageWidths = [64, 128], MiddleWidths = [32, 64], StageBlocks = [2, 1], Taps = [1, 2], Step = 8,
        };
        using var scope = torch.NewDisposeScope();
        torch.manual_seed(2);
        using var stream = new MemoryStream();
        SafetensorsWriter.Write(stream, ResidualNetwork.Shapes(config).ToDictionary(
            shape => shape.Key, shape => torch.randn(shape.Value).mul(0.05f)), new Dictionary<string, string>());
        stream.Position = 0;
        using var file = SafetensorsFile.Read(stream, "weights");
        using var tower = (ResidualNetwork)VisionTowerFactory.Create(ResidualNetwork.FamilyName, config.ToJson(), file);
        BothWays(tower, 2, 88);
    }

    private static void BothWays(ResidualNetwork tower, int images, int side)
    {
        using var scope = torch.NewDisposeScope();
        torch.manual_seed(1);
        var pictures = torch.randn(images, 3, side, side);
        var due = tower.Stages(pictures);
        using var nothing = torch.no_grad();
        foreach (var (stage, right) in tower.Stages(pictures).Zip(due))
        {
            stage.shape.Should().Equal(right.shape);
            (stage - right).abs().max().ToSingle().Should().BeLessThan(1e-4f * right.abs().max().ToSingle());
        }
    }

    [Fact]
    public void Factory_ConfigurationAndWeights_RebuildTheSameTower()
    {
        using var scope = torch.NewDisposeScope();
        using var tower = Vision();
        using var stream = new MemoryStream();
        SafetensorsWriter.Write(stream, tower.Weights, new Dictionary<string, string>());
        stream.Position = 0;
        using var file = SafetensorsFile.Read(stream, "weights");
        using var again = VisionTowerFactory.Create(tower.Family, tower.ConfigurationJson, file);
        using var images = torch.rand([2, 3, 96, 96]);
        using var expected = tower.Encode(images);
        using var actual = again.Encode(images);
        actual.PatchTokens.Zip(expected.PatchTokens)
            .Should().AllSatisfy(pair => pair.First.eq(pair.Second).all().ToBoolean().Should().BeTrue());
    }

    [Theory]
    [InlineData("""{"StageWidths":[1000000000,1,1]}""")]
    [InlineData("""{"StageBlocks":[2,2]}""")]
    [InlineData("""{"Taps":[]}""")]
    [InlineData("""{"Taps":[3,2]}""")]
    [InlineData("""{"ImageSize":225}""")]
    [InlineData("""{"Step":5}""")]
    [InlineData("""{"LooksDown":[1]}""")]
    [InlineData("""{"LooksRight":[1,2,1e9]}""")]
    [InlineData("""{"MiddleWidths":[1]}""")]
    [InlineData("""{"Mean":[0,0]}""")]
    [InlineData("""{"Std":[1,0,1]}""")]
    [InlineData("""{"PromptStep":12}""")]
    [InlineData("""{"EmbeddingWidth":128}""")]
    [InlineData("""{"EmbeddingHidden":128}""")]
    [InlineData("""{"EmbeddingWidth":1000000000,"EmbeddingHidden":1}""")]
    [InlineData("""{"Unknown":1}""")]
    public void Factory_DamagedConfiguration_IsRefused(string json)
    {
        using var stream = new MemoryStream();
        SafetensorsWriter.Write(stream, new Dictionary<string, torch.Tensor>(), new Dictionary<string, string>());
        stream.Position = 0;
        using var file = SafetensorsFile.Read(stream, "weights");
        FluentActions.Invoking(() => VisionTowerFactory.Create(ResidualNetwork.FamilyName, json, file))
            .Should().Throw<ModelFormatException>();
    }

    private static IVisionTower Vision()
        => BackboneSources.Open(BackboneSources.ResNet18, []).LoadVision(torch.ScalarType.Float32, roundToHalf: false);

    /// <summary>Green and blue bands and a red ramp.</summary>
    private static PixelBuffer Formula()
    {
        var rgb = new byte[3 * Side * Side];
        for (var i = 0; i < Side * Side; i++)
        {
            var (y, x) = (i / Side, i % Side);
            (rgb[3 * i], rgb[(3 * i) + 1], rgb[(3 * i) + 2]) =
                ((byte)((x + y) % 256), (byte)((y / 5 % 2 * 150) + 50), (byte)((x / 8 % 2 * 200) + 20));
        }

        return new PixelBuffer(Side, Side, rgb);
    }
}
