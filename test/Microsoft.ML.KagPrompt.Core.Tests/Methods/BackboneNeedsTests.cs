using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Methods;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Methods;

public class BackboneNeedsTests
{
    [Fact]
    public void RequireText_OfABackboneWithout_NamesWhoHasOne()
    {
        FluentActions.Invoking(() => Start("resnet18", out _).RequireText("promptad")).Should().Throw<ArgumentException>()
            .WithMessage("Method 'promptad' needs a text tower, and backbone 'resnet18' has none: name 'compact'*CLIP* as Backbone.Name*");
        FluentActions.Invoking(() => Start("compact", out _).RequireText("promptad")).Should().NotThrow();
    }

    [Fact]
    public void Require_OfATowerThatIsNotOne_SaysWhatIsMissing()
    {
        FluentActions.Invoking(() => Start("compact", out _).Require<IStageTower>("spade", "stages", "a ResNet")).Should()
            .Throw<ArgumentException>()
            .WithMessage("Method 'spade' needs stages, and backbone 'compact' has none: name a ResNet as Backbone.Name.");
        var start = Start("resnet18", out var tower);
        start.Require<IStageTower>("spade", "stages", "a ResNet").Should().BeSameAs(tower);
    }

    private static MethodStart Start(string backbone, out IVisionTower tower)
    {
        var source = BackboneSources.Open(backbone, []);
        tower = source.LoadVision(torch.ScalarType.Float32, roundToHalf: false);
        var sizes = new MethodSizes(tower.Info, tower.Info, tower.Info.ImageSize, MapUpsampling.CellCentres, torch.CPU) { Tower = tower };
        return new MethodStart(sizes, backbone, [], null,
            0) { Texts = new PromptTexts(() => source, new Dictionary<string, PromptEnsemble>(), torch.CPU) };
    }
}
