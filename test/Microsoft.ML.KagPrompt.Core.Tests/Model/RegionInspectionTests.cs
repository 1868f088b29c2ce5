using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.TestSupport;
using static Microsoft.ML.KagPrompt.Tests.Model.PartWithRegion;

namespace Microsoft.ML.KagPrompt.Tests.Model;

/// <summary>What lies outside a region changes nothing of an inspection: not the map, not the score, not the unlikeness.</summary>
public class RegionInspectionTests
{
    public static TheoryData<string> Ways => ["bank", "prompt", "released", "graph bank", "crop", "aligned corners", "turned", "contrast"];

    [Theory]
    [MemberData(nameof(Ways))]
    public void Inspect_SpotOutsideTheRegion_ChangesNothing_InsideItDoes(string way)
    {
        using var model = Fit(Way(way), Right);
        var (clean, outside, inside) = (TestImages.Part(Width, Height, 20), Spotted(20, 28, 60), Spotted(20, 100, 60));
        var results = model.Inspect([clean, outside, inside], new string?[3]);
        results[1].Score.Should().BeApproximately(results[0].Score, 1e-6f);
        results[1].Unlikeness.Should().BeApproximately(results[0].Unlikeness, 1e-6f);
        results[1].Map.Zip(results[0].Map).Where(pair => !pair.First.Equals(pair.Second) && !(Math.Abs(pair.First - pair.Second) < 1e-5f))
            .Should().BeEmpty();
        // The graph's outputs tell such a spot less well: there it counts, but not for more.
        var more = results[2].Score - results[0].Score;
        (way == "graph bank" ? 2 * Math.Abs(more) : more).Should().BeGreaterThan(0.01f);
        var square = model.Network.Preprocessor.Place(Right);
        results[0].Map.Where((value, p) => !square.Inside[p] && !float.IsNaN(value))
            .Should().BeEmpty("the map says what was not inspected");
        results[0].Map.Where((value, p) => square.Inside[p] && !float.IsFinite(value)).Should().BeEmpty("and has a value everywhere else");
        var large = model.Inspect(clean, atImageSize: true);
        var x = Enumerable.Range(0, Width).Where(column => !float.IsNaN(large.Map[(60 * Width) + column])).ToArray();
        var cutOff = way == "crop" ? 140 : 152;
        (x.Min(), x.Max()).Should().Match<(int First, int Last)>(
            at => Math.Abs(at.First - 56) <= 1 && Math.Abs(at.Last - (cutOff - 1)) <= 1, "at the image's size it lies where it was drawn");
    }

    [Fact]
    public void Inspect_Unlikeness_AsksForThePatchesInside()
    {
        using var model = Fit(Small with { FromScratch = true }, Right);
        var square = model.Network.Preprocessor.Place(Right);
        var noise = TestImages.Noise(Side, Side, 6);
        using var features = model.Network.Encoder.Encode([square.Cut(noise)]);
        var grids = model.Info().TapGrids(Side);
        // Outside lies a plain colour, to which a part is more like than to noise.
        var everywhere = grids.Select(grid => Enumerable.Range(0, grid.Rows * grid.Columns).Select(cell => (long)cell).ToArray());
        Lacks(grids.Select(square.CellsOf)).Should().BeGreaterThan(Lacks(everywhere) + 0.001f);
        model.Inspect(noise).Unlikeness.Should().BeApproximately(Lacks(grids.Select(square.CellsOf)), 1e-5f);

        float Lacks(IEnumerable<long[]> cells) => cells.Select((counted, tap) =>
        {
            var tokens = features.PatchTokens[tap][0].index_select(0, TorchSharp.torch.tensor(counted)).UnitLength(1);
            return model.Bank().Layers[tap].matmul(tokens.t()).amax([1]).Complement().mean().Value();
        }).Average();
    }

    [Fact]
    public void Inspect_Map_IsBetweenThePatchesInsideAlone()
    {
        using var model = Fit(Small with { FromScratch = true }, Right);
        var square = model.Network.Preprocessor.Place(Right);
        var noise = TestImages.Noise(Side, Side, 6);
        using var features = model.Network.Encoder.Encode([square.Cut(noise)]);
        var (grids, map) = (model.Info().TapGrids(Side), model.Inspect(noise).Map);
        var distances = model.Bank().Distances(features.PatchTokens).Select(layer => layer.data<float>().ToArray()).ToArray();
        for (var p = 0; p < map.Length; p += 7)
        {
            var expected = grids.Select((grid, tap) =>
            {
                var (sum, weights) = (0.0, 0.0);
                foreach (var cell in square.CellsOf(grid))
                {
                    var weight = Tent(p / Side, grid.FirstRow, grid.RowStep, grid.Rows, cell / grid.Columns)
                        * Tent(p % Side, grid.FirstColumn, grid.ColumnStep, grid.Columns, cell % grid.Columns);
                    (sum, weights) = (sum + (weight * distances[tap][cell]), weights + weight);
                }

                return sum / weights;
            }).Average();
            if (square.Inside[p])
            {
                map[p].Should().BeApproximately((float)expected, 1e-4f, $"pixel {p % Side}, {p / Side}");
            }
        }

        // A cell's share falls to nothing at the next one's centre; beyond the outer ones it stays.
        static double Tent(int pixel, double first, double step, int cells, long cell)
            => Math.Max(0, 1 - Math.Abs(Math.Clamp((pixel - first) / step, 0, cells - 1) - cell));
    }

    [Fact]
    public void Inspect_TheSupportItself_IsCleanToTheRegionsRim()
    {
        using var model = Fit(Small with { FromScratch = true }, Right);
        var map = model.Inspect(Supports.First().Image).Map.Where(value => !float.IsNaN(value)).ToArray();
        map.Should().HaveCountGreaterThan(1000);
        map.Max().Should().BeLessThan(1e-5f, "what lies beyond the rim is like nothing in the bank, and must not shine in");
    }

    [Fact]
    public void Inspect_AllValuesAveraged_AreThoseInside()
    {
        using var model = Fit(Small with { FromScratch = true, TopK = 224 * 224 }, Right);
        var result = model.Inspect(Spotted(20, 100, 60));
        result.Score.Should().BeApproximately(result.Map.Where(value => !float.IsNaN(value)).Average(), 1e-5f);
    }

    [Fact]
    public void Inspect_ImageOfAnotherShape_IsRefused()
    {
        using var model = Fit(Small, Right);
        FluentActions.Invoking(() => model.Inspect([TestImages.Part(Width, Height, 1), TestImages.Part(Height, Width, 1)], new string?[2]))
            .Should().Throw<ImageReadException>().WithMessage("image 2 of 2 (class 'object') has 120 x 160*");
        model.Inspect(model.Network.Preprocessor.Resize(TestImages.Part(Width, Height, 1))).Score
            .Should().BeApproximately(model.Inspect(TestImages.Part(Width, Height, 1)).Score, 1e-6f,
                "what comes at S × S was checked before");
    }

    private static InspectionOptions Way(string way) => way switch
    {
        "bank" => Small with { FromScratch = true },
        "released" => Small with { Variant = GraphVariant.Released, Epochs = 1, BatchSize = 16 },
        "graph bank" => Small with { MemoryFeatures = MemoryFeatures.Graph },
        "crop" => Small with { ResizeMode = ResizeMode.CropShortSide },
        "aligned corners" => Small with { MapUpsampling = MapUpsampling.AlignedCorners },
        "contrast" => Small with { LocalContrast = 1 },
        "turned" => Small with { RotateSupports = true },
        _ => Small,
    };
}
