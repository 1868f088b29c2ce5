using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Fitting;
using Microsoft.ML.KagPrompt.Model;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Fitting;

public sealed class FitTowersTests
{
    private static readonly BackboneOptions Options = new() { Name = "compact", MemoryName = "resnet18" };

    [Fact]
    public void Encoder_SeveralOfOneFit_ShareTowersThatOutliveTheFit()
    {
        FeatureEncoder first, tiled;
        using (var towers = new FitTowers(Options, torch.CPU, initial: null))
        {
            first = towers.Encoder(new());
            tiled = towers.Encoder(new() { Tiles = 2 });
        }

        tiled.Vision.Value.Should().BeSameAs(first.Vision.Value);
        tiled.Memory!.Value.Should().BeSameAs(first.Memory!.Value).And.NotBeSameAs(first.Vision.Value);
        first.Dispose();
        var weights = tiled.Vision.Value.Tower.Weights.Values.Concat(tiled.Memory!.Value.Tower.Weights.Values).ToArray();
        weights.Should().NotBeEmpty().And.OnlyContain(weight => !weight.IsInvalid);
        tiled.Dispose();
        weights.Should().OnlyContain(weight => weight.IsInvalid);
    }

    [Fact]
    public void Encoder_SideThatNoPatchFits_LeavesTheTowersToTheNext()
    {
        using var towers = new FitTowers(Options, torch.CPU, initial: null);
        towers.Invoking(each => each.Encoder(new() { Size = 113 })).Should().Throw<ArgumentException>();
        using var next = towers.Encoder(new());
        next.Memory!.Value.Tower.Weights.Values.Should().OnlyContain(weight => !weight.IsInvalid);
    }
}
