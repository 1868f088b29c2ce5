using System.Text.RegularExpressions;
using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Backbones.Published.Layouts;
using Microsoft.ML.KagPrompt.Backbones.Vit;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;
using static Microsoft.ML.KagPrompt.Tests.Backbones.RandomCheckpoint;

namespace Microsoft.ML.KagPrompt.Tests.Backbones;

/// <summary>Checkpoints under each family's real names, random weights, against float64 loops.</summary>
public sealed partial class PublishedFamilyTests : IDisposable
{
    private readonly DisposeScope scope = torch.NewDisposeScope();
    private readonly RandomCheckpoint file = new();

    public static TheoryData<string> Families => new(
        "imagebind", "openclip", "clip", "hf-clip",
        "dinov2", "dinov2-reg", "dinov2-swiglu", "hf-dinov2", "hf-dinov2-reg", "hf-dinov2-swiglu");

    [Theory]
    [MemberData(nameof(Families))]
    public void Vision_RandomCheckpoint_EqualsNaiveLoops(string family)
    {
        var naive = Write(family).Vision;
        var layout = Recognise(family);
        using var tower = new VisionTransformer(
            layout.Vision, WeightSet.Read(VisionTransformer.Shapes(layout.Vision), Mapped(layout.VisionRules)));
        foreach (var side in (int[])[Side, Side + 2, Side - 2])
        {
            var image = torch.randn([1, 3, side * Patch, side * Patch], generator: file.Random);
            using var features = tower.Encode(image);
            var (blocks, embedding) = naive.Encode([.. image.data<float>().Select(value => (double)value)], side * Patch);
            features.PatchTokens.Should().HaveCount(4);
            for (var i = 0; i < Depth; i++)
            {
                var expected = blocks[i].SelectMany(token => token).Select(value => (float)value).ToArray();
                features.PatchTokens[i].ShouldBeClose(torch.tensor(expected, [1, side * side, Width]),
                    TensorAssertions.StageTolerance, $"{family}, side {side}, tap {i}");
            }

            features.ImageEmbedding.ShouldBeClose(
                torch.tensor(embedding.Select(value => (float)value).ToArray(), [1, embedding.Length]),
                TensorAssertions.StageTolerance, $"{family}, side {side}, embedding");
        }
    }

    [Theory]
    [InlineData("imagebind")]
    [InlineData("openclip")]
    [InlineData("clip")]
    [InlineData("hf-clip")]
    public void Text_RandomCheckpoint_EqualsNaiveLoops(string family)
    {
        var naive = Write(family).Text!;
        var layout = Recognise(family);
        using var tower = new TextTransformer(layout.Text!, WeightSet.Read(TextTransformer.Shapes(layout.Text!), Mapped(layout.TextRules)));
        long[] tokens = [48, 3, 17, 3, 9, 49, 0, 0, 0];
        var actual = tower.Encode(torch.tensor(tokens, [1, Context]));
        var expected = naive(tokens);
        actual.ShouldBeClose(torch.tensor(expected.Select(value => (float)value).ToArray(), [1, Joint]),
            TensorAssertions.StageTolerance * expected.Max(Math.Abs), family);
    }

    [Theory]
    [InlineData("imagebind", "ImageBind")]
    [InlineData("openclip", "OpenCLIP")]
    [InlineData("clip", "CLIP")]
    [InlineData("hf-clip", "CLIP")]
    [InlineData("dinov2-swiglu", "DINOv2")]
    [InlineData("hf-dinov2-reg", "DINOv2")]
    public void Recognise_ByNamesAlone_TellsTheFamily(string family, string expected)
    {
        Write(family);
        Recognise(family).Family.Should().Be(expected);
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Recognise_NamesMissingUnexpectedAndMisshaped_ListsThemTogether(string family)
    {
        Write(family);
        var layout = Recognise(family);
        var victim = layout.VisionRules.Single(rule => rule.Name == "blocks.1.fc2.bias").Parts[0].Name;
        var misshaped = layout.VisionRules.Single(rule => rule.Name == "blocks.2.norm1.weight").Parts[0].Name;
        file.Tensors[victim + "s"] = file.Tensors[victim];
        file.Tensors.Remove(victim);
        file.Tensors[misshaped] = torch.zeros(Width + 1);

        var act = () => Recognise(family);

        act.Should().Throw<CheckpointMismatchException>()
            .WithMessage($"*1 missing: {victim} (nearest there: {victim}s)*1 unexpected: {victim}s*"
                + $"1 of another shape: {misshaped}: expected [{Width}], got [{Width + 1}]*");
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Recognise_FirstBlockOfAnotherName_SaysWhichIsMissing(string family)
    {
        Write(family);
        // By this layer blocks are counted.
        foreach (var name in file.Tensors.Keys.Where(name => FirstNorm().IsMatch(name)).ToArray())
        {
            file.Tensors.Remove(name, out var tensor);
            file.Tensors[name.Replace(".0.", ".x.", StringComparison.Ordinal)] = tensor!;
        }

        var act = () => Recognise(family);
        act.Should().Throw<CheckpointMismatchException>().WithMessage("*is not a whole * checkpoint: expected '*.0.*n*1.weight', got nothing*");
    }

    [Fact]
    public void Recognise_SizesThatNoTransformerHas_AreRefusedAsTheFilesFault()
    {
        Write("openclip");
        for (var i = 0; i < 600; i++)
        {
            file.Tensors[$"visual.transformer.resblocks.{i}.ln_1.weight"] = torch.zeros(1);
        }

        var act = () => Recognise("openclip");
        act.Should().Throw<CheckpointMismatchException>().WithMessage("*sizes that can be*Depth: expected 1 to 512, got 600*");
    }

    [Fact]
    public void Recognise_ClipOfSizesBothPublished_TakesTheHint()
    {
        Write("openclip");
        using var source = file.Open();
        KnownLayouts.Recognise(source, Hints("openclip") with { Activation = Activation.QuickGelu }).Family.Should().Be("CLIP");
    }

    [Fact]
    public void Recognise_UnknownNames_SaysWhatIsKnown()
    {
        file.Tensors["conv1.weight"] = torch.zeros(3);
        var act = () => Recognise("none");
        act.Should().Throw<CheckpointMismatchException>().WithMessage("*ImageBind, OpenCLIP, CLIP*DINOv2*'conv1.weight'*");
    }

    public void Dispose()
    {
        file.Dispose();
        scope.Dispose();
    }

    [GeneratedRegex(@"\.0\.(ln_1|norm1|norm_1|layer_norm1)\.")]
    private static partial Regex FirstNorm();

    private static LayoutHints Hints(string family)
        => new() { VisionHeads = Heads, TextHeads = family.Contains("dino", StringComparison.Ordinal) ? null : Heads };

    private BackboneLayout Recognise(string family)
    {
        using var source = file.Open();
        return KnownLayouts.Recognise(source, Hints(family));
    }

    private MappedTensors Mapped(IEnumerable<WeightRule> rules) => new(file.Open(), rules);

    private (NaiveVision Vision, Func<long[], double[]>? Text) Write(string family) => family switch
    {
        "imagebind" => RandomClips.ImageBind(file),
        "openclip" => RandomClips.Clip(file, "gelu"),
        "clip" => RandomClips.Clip(file, "quick"),
        "hf-clip" => RandomClips.HuggingFaceClip(file),
        "dinov2" => (RandomDinos.DinoV2(file, 0, swiglu: false), null),
        "dinov2-reg" => (RandomDinos.DinoV2(file, 4, swiglu: false), null),
        "dinov2-swiglu" => (RandomDinos.DinoV2(file, 0, swiglu: true), null),
        "hf-dinov2" => (RandomDinos.HuggingFaceDinoV2(file, 0, swiglu: false), null),
        "hf-dinov2-reg" => (RandomDinos.HuggingFaceDinoV2(file, 4, swiglu: false), null),
        "hf-dinov2-swiglu" => (RandomDinos.HuggingFaceDinoV2(file, 0, swiglu: true), null),
        _ => throw new ArgumentOutOfRangeException(nameof(family)),
    };
}
