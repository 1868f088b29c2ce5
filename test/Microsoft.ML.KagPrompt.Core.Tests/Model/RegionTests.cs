using System.Text.Json.Nodes;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Tests.Model;

/// <summary>What lies outside a region changes nothing: not the bank, not the map, not the score, not the threshold.</summary>
public class RegionTests
{
    private const int Width = 160;
    private const int Height = 120;
    private const int Side = 112;

    private static readonly FitChoices Small = new() { Epochs = 0, ImageSize = Side, Seed = 3 };

    /// <summary>The right two thirds of the image, all but its rim.</summary>
    private static InspectionRegion Right => InspectionRegion.FromPolygons(Width, Height, [[(56, 8), (152, 8), (152, 112), (56, 112)]]);

    private static IEnumerable<TrainingImage> Supports 
        => Enumerable.Range(0, 3).Select(i => new TrainingImage { Image = TestImages.Part(Width, Height, i) });

    public static TheoryData<string> Ways => ["bank", "prompt", "released", "graph bank", "crop", "aligned corners", "turned"];

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

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Fit_SpotsOutsideTheRegion_GiveTheSameModel(int epochs)
    {
        var choices = Small with { Epochs = epochs, BatchSize = 16, ImageSize = 56 };
        using var clean = Fit(choices, Right);
        var supports = Supports.Select((support, i) => support with { Image = Spotted(i, 24, 30 + (25 * i)) });
        using var spotted = KagPromptTrainer.Fit(supports, With(choices, Right));
        var query = TestImages.Part(Width, Height, 21, defective: true);
        spotted.Inspect(query).Score.Should().BeApproximately(clean.Inspect(query).Score, 1e-5f);
        var (one, other) = (clean.CalibrationOf("object"), spotted.CalibrationOf("object"));
        other.Threshold.Should().BeApproximately(one.Threshold, 1e-5f);
        other.SyntheticScores.Should().HaveSameCount(one.SyntheticScores);
        other.UnlikenessLimit.Should().BeApproximately(one.UnlikenessLimit, 1e-5f);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Fit_Region_KeepsThePatchesWhoseCentresLieInside(bool isTurned)
    {
        // An outline that no grid shares, drawn where no image is resized.
        bool[] inside = [.. Enumerable.Range(0, Side * Side).Select(p => (X: (p % Side) - 40, Y: (p / Side) - 70))
            .Select(p => (p.X * p.X) + (p.Y * p.Y) < 33 * 33)];
        var region = InspectionRegion.FromMask(Side, Side, [.. inside.Select(mark => (byte)(mark ? 255 : 0))]);
        var support = TestImages.Part(Side, Side, 4);
        var choices = Small with { FromScratch = true, RotateSupports = isTurned };
        using var model = KagPromptTrainer.Fit([new TrainingImage { Image = support }], With(choices, region));
        var info = model.Info();
        var blanked = new PixelBuffer(Side, Side, [.. support.Rgb.Select((value, i) => inside[i / 3] ? value
            : (byte)MathF.Round(255 * info.Mean[i % 3]))]);
        for (var tap = 0; tap < info.TapWidths.Count; tap++)
        {
            var rows = new List<float[]>();
            for (var turn = 0; turn < (isTurned ? 4 : 1); turn++)
            {
                using var features = model.Network.Encoder.Encode([blanked.Rotate90(turn)]);
                var grid = info.TapGrids(Side)[tap];
                for (var cell = 0; cell < grid.Rows * grid.Columns; cell++)
                {
                    var (y, x) = (Nearest(grid.FirstRow + (cell / grid.Columns * grid.RowStep)),
                        Nearest(grid.FirstColumn + (cell % grid.Columns * grid.ColumnStep)));
                    for (var back = 0; back < turn; back++)
                    {
                        // A quarter back: what is at the top now was at the left.
                        (x, y) = (y, Side - 1 - x);
                    }

                    if (inside[(y * Side) + x])
                    {
                        rows.Add(features.PatchTokens[tap][0][cell].data<float>().ToArray());
                    }
                }
            }

            var bank = model.Bank().Layers[tap];
            bank.shape[0].Should().Be(rows.Count).And.BeLessThan(64 * (isTurned ? 4 : 1));
            var lengths = rows.Select(row => MathF.Sqrt(row.Sum(value => value * value))).ToArray();
            rows.SelectMany((row, i) => row.Select(value => value / lengths[i]))
                .Zip(bank.data<float>().ToArray(), (expected, actual) => Math.Abs(expected - actual)).Max().Should().BeLessThan(1e-5f);
        }
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
    public void Fit_Region_PlacesTheThresholdByScoresInsideIt()
    {
        var supports = Supports.ToArray();
        var options = With(Small with { FromScratch = true, TopK = 224 * 224 }, Right);
        using var model = KagPromptTrainer.Fit(supports, options);
        var alone = supports.Select(support =>
        {
            using var others = KagPromptTrainer.Fit(supports.Where(other => other != support), options);
            return others.Inspect(support.Image).Score;
        }).Order().ToArray();
        var calibration = model.CalibrationOf("object");
        calibration.NormalScores.Order().Zip(alone, (score, expected) => Math.Abs(score - expected)).Max().Should().BeLessThan(1e-5f);
        calibration.MapThreshold.Should().BeApproximately(calibration.Threshold, 1e-5f, "the map alone makes the score");
    }

    [Fact]
    public void Fit_PictureAndPolygons_GiveTheSameModel()
    {
        byte[] mask = [.. Enumerable.Range(0, Width * Height)
            .Select(p => (byte)(p % Width is >= 56 and < 152 && p / Width is >= 8 and < 112 ? 255 : 0))];
        using var drawn = Fit(Small, Right);
        using var painted = Fit(Small, InspectionRegion.FromMask(Width, Height, mask));
        using (var one = new MemoryStream())
        using (var other = new MemoryStream())
        {
            drawn.Save(one);
            painted.Save(other);
            other.ToArray().Should().Equal(one.ToArray());
        }
    }

    [Fact]
    public void Load_SavedModel_KeepsTheRegion()
    {
        using var model = Fit(Small, Right);
        using var stream = Saved(model);
        using var loaded = KagPromptModel.Load(stream, "cpu");
        loaded.Options.Regions.Should().ContainKey("object").WhoseValue.Should().Be(Right);
        using var moved = loaded.WithThreshold(0.5f);
        var image = Spotted(20, 28, 60);
        moved.Inspect(image).Map.Should().Equal(model.Inspect(image).Map);
        moved.Inspect(image).Score.Should().Be(model.Inspect(image).Score);
        stream.Position = 0;
        ModelDescription.Read(stream).Options.Regions["object"].Should().Be(Right);
    }

    [Theory]
    [InlineData("""{"width":160,"height":120,"shape":true,"runs":[19199]}""", "*manifest is damaged*")]
    [InlineData("""{"width":160,"height":120,"shape":true,"runs":[19199,1]}""", "*Regions['object']*centre of a patch*")]
    [InlineData("null", "*options are damaged*Regions['object']*")]
    public void Load_DamagedRegion_IsRefused(string region, string message)
    {
        using var model = Fit(Small, Right);
        using var stream = Saved(model);
        var damaged = ModelZip.WithHeader(stream.ToArray(), header =>
        {
            var metadata = header["__metadata__"]!.AsObject();
            var manifest = JsonNode.Parse(metadata["manifest"]!.GetValue<string>())!;
            manifest["options"]!["regions"]!["object"] = JsonNode.Parse(region);
            metadata["manifest"] = manifest.ToJsonString();
            metadata["manifest.sha256"] = HashedText.HashOf(manifest.ToJsonString());
        });
        FluentActions.Invoking(() => KagPromptModel.Load(new MemoryStream(damaged), "cpu")).Should().Throw<ModelFormatException>()
            .WithMessage(message);
    }

    [Fact]
    public void Adapt_Regions_AreOfTheirClassesAndStay()
    {
        using var model = Fit(Small, null);
        var nut = Supports.Select(support => support with { ClassName = "nut" }).ToArray();
        using var adapted = KagPromptTrainer.Adapt(model, nut, regions: Regions("nut", Right));
        (adapted.Options.Regions.Keys.Single(), model.Options.Regions.Count).Should().Be(("nut", 0));
        var image = TestImages.Part(Width, Height, 20);
        adapted.Inspect(image, "object").Map.Should().OnlyContain(value => float.IsFinite(value));
        adapted.Inspect(image, "nut").Map.Should().Contain(value => float.IsNaN(value));
        using var again = KagPromptTrainer.Adapt(adapted, nut.Take(2));
        again.Inspect(image, "nut").Map.Count(float.IsNaN)
            .Should().Be(adapted.Inspect(image, "nut").Map.Count(float.IsNaN), "new images of the class keep its region");
        adapted.InspectFusions([image], ["nut"], [new ScoreFusion()])[0][0].Map.Should().Equal(adapted.Inspect(image, "nut").Map);
        FluentActions.Invoking(() => KagPromptTrainer.Adapt(model, nut, regions: Regions("nuts", Right)))
            .Should().Throw<ArgumentException>().WithMessage("Regions['nuts']*'nut'*");
    }

    [Fact]
    public void Fit_RegionOfNoUse_IsRefused()
    {
        FluentActions.Invoking(() => KagPromptTrainer.Fit(Supports, (InspectionOptions)Small with { Regions = Regions("objects", Right) }))
            .Should().Throw<ArgumentException>().WithMessage("Regions['objects']*'object'*");
        var sliver = InspectionRegion.FromPolygons(Width, Height, [[(80, 0), (81, 0), (81, 120), (80, 120)]]);
        FluentActions.Invoking(() => Fit(Small, sliver)).Should().Throw<ArgumentException>()
            .WithMessage("Regions['object']*centre of a patch*Draw it larger*");
        var upright = InspectionRegion.FromPolygons(Height, Width, [], [[(0, 0), (9, 0), (9, 9)]]);
        FluentActions.Invoking(() => Fit(Small, upright)).Should().Throw<ImageReadException>()
            .WithMessage("An image of class 'object' has 160 x 120*120 x 160*");
        var shares = InspectionRegion.FromShares([], [[(0, 0), (0.1, 0), (0.1, 0.1)]]);
        FluentActions.Invoking(() => Fit(Small with { ResizeMode = ResizeMode.CropShortSide }, shares)).Should().Throw<ArgumentException>()
            .WithMessage("*Regions['object']*width and height*CropShortSide*shares*");
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
        "turned" => Small with { RotateSupports = true },
        _ => Small,
    };

    private static KagPromptModel Fit(InspectionOptions options, InspectionRegion? region)
        => KagPromptTrainer.Fit(Supports, region is null ? options : With(options, region));

    private static InspectionOptions With(InspectionOptions options, InspectionRegion region)
        => options with { Regions = Regions("object", region) };

    private static Dictionary<string, InspectionRegion> Regions(string name, InspectionRegion region) => new() { [name] = region };

    private static MemoryStream Saved(KagPromptModel model)
    {
        var stream = new MemoryStream();
        model.Save(stream);
        stream.Position = 0;
        return stream;
    }

    private static int Nearest(double place) => Math.Clamp((int)Math.Floor(place + 0.5), 0, Side - 1);

    /// <summary>A part with a bright spot of a radius of 12.</summary>
    private static PixelBuffer Spotted(int seed, int x, int y)
    {
        var image = TestImages.Part(Width, Height, seed);
        for (var p = 0; p < Width * Height; p++)
        {
            var (dx, dy) = ((p % Width) - x, (p / Width) - y);
            if ((dx * dx) + (dy * dy) < 144)
            {
                image.Rgb[3 * p] = 250;
            }
        }

        return image;
    }
}
