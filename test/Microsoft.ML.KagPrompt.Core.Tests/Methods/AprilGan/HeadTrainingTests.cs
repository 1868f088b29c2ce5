using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Methods;
using Microsoft.ML.KagPrompt.Methods.AprilGan;
using Microsoft.ML.KagPrompt.Methods.Kag;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Methods.AprilGan;

public sealed class HeadTrainingTests : IDisposable
{
    private readonly DisposeScope scope = torch.NewDisposeScope();

    [Fact]
    public void Masks_OfPairs_MarkTheTwinsAlone()
    {
        const int Side = 4;
        var masks = new bool[2][];
        (masks[0], masks[1]) = (new bool[Side * Side], new bool[Side * Side]);
        (masks[0][5], masks[1][2], masks[1][15]) = (true, true, true);
        var image = TestImages.Noise(Side, Side, 1);
        var batch = new TwinBatch(
            [.. masks.Select(_ => new ProductImage(image, "part"))],
            [.. masks.Select(mask => new SyntheticImage(image, [], mask, true, 1))], 1);

        var values = HeadTraining.Masks(batch, Side, torch.CPU).data<float>().ToArray();

        values.Index().Where(entry => entry.Item != 0).Select(entry => entry.Index)
            .Should().Equal((2 * 16) + 5, (3 * 16) + 2, (3 * 16) + 15);
        values.Max().Should().Be(1);
    }

    [Fact]
    public void Describe_AClass_AveragesTheAuthorsSentencesAtUnitLength()
    {
        using var texts = new PromptTexts(() => BackboneSources.Open("compact", []), new Dictionary<string, PromptEnsemble>(), torch.CPU);
        var info = new VisionTowerInfo
        {
            PatchSize = 14, TapWidths = [8], JointWidth = 4, ImageSize = 56, Mean = [0, 0, 0], Std = [1, 1, 1],
        };
        var sizes = new MethodSizes(info, info, 56, MapUpsampling.CellCentres, torch.CPU);
        using var method = new AprilGanMethod(new AprilGanOptions(), sizes, new LinearHeads([8], 4, seed: 1), startsTrained: false);

        var described = method.Describe(texts, "metal_nut");

        described.norm(1).ShouldBeClose(torch.ones(2), 1e-5, "unit length");
        var abnormal = AprilGanSentences.All.For("metal nut").Abnormal
            .Select(sentence => torch.tensor(texts.Side.Tokenizer.Encode(sentence)));
        described[1].ShouldBeClose(TextFeatures.UnitMean(texts.Side.Tower.Embed(torch.stack([.. abnormal]))), 1e-5, "abnormal");
    }

    public void Dispose() => scope.Dispose();
}
