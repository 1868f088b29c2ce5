using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Backbones.Residual;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Methods;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Methods.Kag;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Backbones;

/// <summary>
/// What a residual network shows a graph prompt, and its own image embedding, against the definitions written out one number at a time.
/// </summary>
public sealed class ResidualPromptTests : IDisposable
{
    private const int Step = 16;

    private static readonly ResidualNetworkConfig Config = new()
    {
        StemWidth = 4, StageWidths = [4, 6, 8], StageBlocks = [1, 1, 1], PromptStep = Step, EmbeddingWidth = 5, EmbeddingHidden = 7,
        LooksDown = [2.5, 5, 10], LooksRight = [1, 4, 9],
    };

    private readonly DisposeScope scope = torch.NewDisposeScope();
    private readonly ResidualNetwork tower = Tower(Config);

    public void Dispose()
    {
        tower.Dispose();
        scope.Dispose();
    }

    /// <summary>72 pixels end within the last cells.</summary>
    [Theory]
    [InlineData(64, 4)]
    [InlineData(72, 5)]
    public void Encode_ForAPrompt_ShowsTheMeansOfEveryStagesCellsAndHowTheyDiffer(int side, int cells)
    {
        using var images = torch.rand([2, 3, side, side]);
        var stages = tower.Stages(images).Select(map => map.detach()).ToArray();
        using var features = tower.Encode(images);

        features.PromptTokens.Select(layer => layer.shape).Should().BeEquivalentTo(
            [[2L, cells * cells, 4], [2L, cells * cells, 6], [2L, cells * cells, 8], new[] { 2L, cells * cells, 18 }],
            strict => strict.WithStrictOrdering());
        tower.Info.PromptTaps.Widths.Should().Equal(4, 6, 8, 18);
        tower.Info.PromptGrid(side).Rows.Should().Be(cells);
        for (var image = 0; image < 2; image++)
        {
            var expected = stages.Select((map, i) => Means(map[image], 4 >> i, cells)).ToArray();
            for (var stage = 0; stage < 3; stage++)
            {
                features.PromptTokens[stage][image].ShouldBeClose(ToTensor(expected[stage]), 1e-5, $"stage {stage + 1}");
            }

            double[][] differences = [.. Enumerable.Range(0, cells * cells)
                .Select(cell => expected.SelectMany(stage => Differences(stage)[cell]).ToArray())];
            features.PromptTokens[3][image].ShouldBeClose(ToTensor(differences), 1e-4, "differences");
        }
    }

    [Fact]
    public void Encode_ForTheBankAlone_GivesTheSameTapsAndNothingForAPrompt()
    {
        using var images = torch.rand([1, 3, 64, 64]);
        using var all = tower.Encode(images);
        using var bankAlone = tower.Encode(images, forPrompt: false);
        bankAlone.PatchTokens.Zip(all.PatchTokens)
            .Should().AllSatisfy(pair => pair.First.eq(pair.Second).all().ToBoolean().Should().BeTrue());
        bankAlone.PromptTokens.Should().BeSameAs(bankAlone.PatchTokens);
        using var scaled = Tower(Config with { Taps = [2] });
        using var other = scaled.Encode(images);
        other.PatchTokens.Should().ContainSingle();
        other.PromptTokens.Should().HaveCount(4, "a prompt sees every stage, whatever the bank is told to");
    }

    [Fact]
    public void Encode_OwnEmbedding_IsTwoLayersOfMeanAndMaximum()
    {
        using var images = torch.rand([2, 3, 64, 64]);
        var deepest = tower.Stages(images)[^1].detach();
        using var features = tower.Encode(images);
        features.ImageEmbedding.shape.Should().Equal(2, 5);
        tower.Info.JointWidth.Should().Be(5);
        for (var image = 0; image < 2; image++)
        {
            var channels = Enumerable.Range(0, 8).Select(c => Doubles(deepest[image, c])).ToArray();
            var hidden = Linear(
                [.. channels.Select(values => values.Average()), .. channels.Select(values => values.Max())], "embed.hidden")
                .Select(value => Math.Max(0, value)).ToArray();
            var output = Linear(hidden, "embed.out");
            var length = Math.Sqrt(output.Sum(value => value * value));
            features.ImageEmbedding[image].ShouldBeClose(torch.tensor(output.Select(value => value / length).ToArray()), 1e-5, "embedding");
        }
    }

    /// <summary>
    /// A cell's stages look at the middle of what they cover, moved as they were measured to; a prompt's map lies at their mean.
    /// </summary>
    [Fact]
    public void PromptGrid_OfStagesThatLookAside_LiesAtTheirMean()
        => tower.Info.PromptGrid(64).Should().Be(
            new PatchGrid(4, 4, ((6 + 2.5) + (4 + 5) + 10) / 3, Step, ((6 + 1) + (4 + 4) + 9) / 3.0, Step));

    [Fact]
    public void Tower_ConfigurationWithoutAPromptsPart_IsAsItWas()
    {
        var old = ResidualNetworkConfig.Parse("""{"StemWidth":4,"StageWidths":[4,6,8],"StageBlocks":[1,1,1]}""");
        ResidualNetwork.Shapes(old).Keys.Should().NotContain(name => name.StartsWith("embed.", StringComparison.Ordinal));
        using var plain = Tower(old);
        (plain.Info.JointWidth, plain.Info.PromptTaps.Step).Should().Be((8, 8));
        plain.Info.PromptTaps.Widths.Should().Equal(plain.Info.TapWidths);
        plain.Info.Presets.Should().BeEmpty();
    }

    [Fact]
    public void Factory_ConfigurationAndWeights_RebuildTheSameTower()
    {
        using var stream = new MemoryStream();
        SafetensorsWriter.Write(stream, tower.Weights, new Dictionary<string, string>());
        stream.Position = 0;
        using var file = SafetensorsFile.Read(stream, "weights");
        using var again = VisionTowerFactory.Create(tower.Family, tower.ConfigurationJson, file);
        using var images = torch.rand([1, 3, 64, 64]);
        using var expected = tower.Encode(images);
        using var actual = again.Encode(images);
        actual.Tensors.Zip(expected.Tensors).Should().HaveCount(3 + 4 + 1)
            .And.AllSatisfy(pair => pair.First.eq(pair.Second).all().ToBoolean().Should().BeTrue());
    }

    /// <summary>The bank compares the taps on their grid, the prompt's map is that of its own layers on theirs.</summary>
    [Fact]
    public void Score_BankAndPromptOnGridsOfTheirOwn_AreFusedInTheImage()
    {
        const int Side = 64;
        using var prompt = new GraphPrompt(GraphPromptConfig.For(tower.Info, GraphVariant.Paper, 2), 4);
        var options = new KagOptions { Memory = new() { Views = SupportViews.AsGiven }, Coreset = CoresetOptions.Off };
        using var method = new KagMethod(
            options, new MethodSizes(tower.Info, tower.Info, Side, MapUpsampling.CellCentres, torch.CPU), prompt, startsTrained: true);
        using var nothing = torch.no_grad();
        using var support = new ScoringFeatures(tower.Encode(torch.rand([1, 3, Side, Side])), null);
        using var query = new ScoringFeatures(tower.Encode(torch.rand([1, 3, Side, Side])), null);
        var text = torch.randn([2, 5]).UnitLength(-1);
        using var reference = (KagReference)method.BuildReference([method.Remember(support)], text.clone());
        reference.Bank!.Layers.Select(layer => layer.shape[0]).Should().Equal(64, 64, 64);

        using var scored = method.Score(query, reference);

        var maps = new MapMaker(MapUpsampling.CellCentres, Side);
        var memory = maps.Mean(reference.Bank.Distances(query.ForMemory.PatchTokens), tower.Info.TapGrids(Side));
        var prompted = PromptMap.Average(
            prompt.Nodes(query.ForPrompt!.PromptTokens), text, KagVariant.For(GraphVariant.Paper),
            maps.Upsampler(tower.Info.PromptGrid(Side)));
        scored.Maps.ShouldBeClose((0.9 * memory) + (0.1 * prompted), 1e-5, "(14)");
    }

    private static ResidualNetwork Tower(ResidualNetworkConfig config)
    {
        using var random = new torch.Generator(6, torch.CPU);
        return new(config, new WeightSet(ResidualNetwork.Shapes(config).ToDictionary(
            entry => entry.Key, entry => (0.3 * torch.randn(entry.Value, generator: random)).DetachFromDisposeScope())));
    }

    /// <summary>[W, h, w] → of each cell, the mean over the stage's cells that lie in it and in the map.</summary>
    private static double[][] Means(torch.Tensor map, int span, int cells)
    {
        var (width, side, values) = ((int)map.shape[0], (int)map.shape[1], Doubles(map));
        return [.. Enumerable.Range(0, cells * cells).Select(cell => Enumerable.Range(0, width)
            .Select(c => Rows(cell / cells)
                .SelectMany(y => Rows(cell % cells).Select(x => values[(((c * side) + y) * side) + x])).Average())
            .ToArray())];

        IEnumerable<int> Rows(int first) => Enumerable.Range(first * span, span).Where(at => at < side);
    }

    private static double[][] Differences(double[][] tokens)
    {
        var means = tokens[0].Select((_, c) => tokens.Average(token => token[c])).ToArray();
        return [.. tokens.Select(token => token.Select((value, c) => value - means[c]).ToArray())];
    }

    private double[] Linear(double[] input, string name)
    {
        var (weight, bias) = (Doubles(tower.Weights[$"{name}.weight"]), Doubles(tower.Weights[$"{name}.bias"]));
        return [.. bias.Select((start, row) =>
            start + input.Select((value, column) => value * weight[(row * input.Length) + column]).Sum())];
    }

    private static double[] Doubles(torch.Tensor tensor)
        => tensor.detach().to_type(torch.ScalarType.Float64).contiguous().data<double>().ToArray();

    private static torch.Tensor ToTensor(double[][] rows)
        => torch.tensor(rows.SelectMany(row => row).ToArray(), [rows.Length, rows[0].Length]);
}
