using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Tests.Backbones.Tiled;

/// <summary>Models that see their pictures through tiles, by the calls that users make.</summary>
public sealed class TiledInspectionTests
{
    private const int Side = 112;

    [Theory]
    [InlineData("resnet18", 2)]
    [InlineData("resnet18", 3)]
    [InlineData("compact", 2)]
    public void Inspect_SpotInAnyTile_MapIsHighestThere(string backbone, int tiles)
    {
        using var model = Fit(new() { Size = Side, Tiles = tiles }, backbone, 400);
        model.MapSize.Should().Be(Side + ((tiles - 1) * (backbone == "resnet18" ? 80 : 84)));
        foreach (var (row, column) in new[] { (40, 40), (60, 340), (200, 200), (345, 70), (350, 355) })
        {
            var found = model.Inspect(Spotted(400, row, column));
            found.Map.Should().HaveCount(model.MapSize * model.MapSize);
            var at = Array.IndexOf(found.Map, found.Map.Max());
            var scale = 400.0 / model.MapSize;
            ((((at / model.MapSize) + 0.5) * scale) - 0.5).Should().BeApproximately(row, 16, "the spot lies at {0}, {1}", row, column);
            ((((at % model.MapSize) + 0.5) * scale) - 0.5).Should().BeApproximately(column, 16, "the spot lies at {0}, {1}", row, column);
        }
    }

    [Fact]
    public void Inspect_TilesOfOneTower_AreWhatTheTowerSeesOfEach()
    {
        using var model = Fit(new() { Size = Side, Tiles = 2 }, "resnet18", 192);
        using var whole = Fit(new() { Size = Side }, "resnet18", 192);
        var encoder = model.Network.Encoder;
        var square = encoder.Preprocessor.Resize(TestPictures.Noise(192, 192, 5));
        using var features = encoder.EncodeForScoring([square], usesMain: true);
        var tokens = features.ForMemory.PatchTokens[^1][0];
        const int Cells = 24, Stride = 80;
        for (var row = 0; row < Cells; row++)
        {
            for (var column = 0; column < Cells; column++)
            {
                // 14 cells a tile, 10 from one to the next: of the four they share, two are each one's.
                var (down, across) = (row < 12 ? 0 : 1, column < 12 ? 0 : 1);
                using var alone = whole.Network.Encoder.EncodeForScoring([Cut(square, down * Stride, across * Stride)], usesMain: true);
                var expected = alone.ForMemory.PatchTokens[^1][0][((row - (10 * down)) * 14) + column - (10 * across)];
                (tokens[(row * Cells) + column] - expected).abs().max().item<float>().Should().BeLessThan(1e-4f);
                column += column is 0 or 12 ? 10 : 0;
            }

            row += row is 0 or 12 ? 10 : 0;
        }
    }

    [Fact]
    public void SaveLoad_Tiles_ScoreAlike()
    {
        using var model = Fit(new() { Size = Side, Tiles = 2 }, "resnet18", 200);
        var file = Path.Combine(Directory.CreateTempSubdirectory().FullName, "model.zip");
        model.Save(file);
        using var loaded = KagPromptModel.Load(file);
        loaded.Options.Images.Tiles.Should().Be(2);
        var picture = Spotted(200, 60, 130);
        loaded.Inspect(picture).Map.Should().Equal(model.Inspect(picture).Map);
        Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);
    }

    [Theory]
    [InlineData(191, 1)]
    [InlineData(192, 2)]
    [InlineData(272, 3)]
    [InlineData(900, 3)]
    public void Fit_AutoTiles_AsManyAsTheFirstPictureHasPixelsFor(int side, int tiles)
    {
        using var model = Fit(new() { Size = Side, Tiles = ImageOptions.AutoTiles }, "resnet18", side);
        model.Options.Images.Should().Be(new ImageOptions { Size = Side, Tiles = tiles });
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(10_000_000_000, 3)]
    public void Fit_AutoTilesInATime_NoMoreThanItAllows(long ticks, int tiles)
    {
        using var model = Fit(new() { Size = Side, Tiles = ImageOptions.AutoTiles, TilesTime = new(ticks) }, "resnet18", 300);
        model.Options.Images.Should().Be(new ImageOptions { Size = Side, Tiles = tiles });
    }

    [Fact]
    public void Fit_AutoTilesOfAnEnumeration_EnumeratesItOnceAndTakesEveryImage()
    {
        var begun = 0;
        IEnumerable<TrainingImage> Images()
        {
            begun++;
            yield return new() { Image = Part(300, 0), ClassName = "first" };
            yield return new() { Image = Part(300, 1), ClassName = "second" };
        }

        using var model = KagPromptTrainer.Fit(Images(), Options(new() { Size = Side, Tiles = ImageOptions.AutoTiles }, "resnet18"));
        begun.Should().Be(1);
        model.ClassNames.Should().Equal("first", "second");
    }

    [Fact]
    public void Fit_TilesWithAMethodOfWholePictures_IsRefused()
    {
        var options = Options(new() { Tiles = 2 }, "compact") with { Method = new WinClipOptions() };
        options.Invoking(each => each.Validate()).Should().Throw<ArgumentException>().WithMessage("*Images.Tiles: expected 1 with this method*got 2*");
        (options with { Images = new() { Tiles = ImageOptions.AutoTiles } }).Invoking(each => each.Validate()).Should().NotThrow();
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(5)]
    public void Validate_TilesOutOfRange_Refused(int tiles) => Options(new() { Tiles = tiles }, "resnet18")
        .Invoking(each => each.Validate()).Should().Throw<ArgumentException>().WithMessage($"*Images.Tiles: expected 1 to 4, or 0*got {tiles}*");

    [Fact]
    public void Validate_TimeWithoutAutomaticTiles_Refused() => Options(new() { Tiles = 2, TilesTime = TimeSpan.FromSeconds(1) }, "resnet18")
        .Invoking(each => each.Validate()).Should().Throw<ArgumentException>().WithMessage("*Images.TilesTime*automatic*");

    private static KagPromptModel Fit(ImageOptions images, string backbone, int side) => KagPromptTrainer.Fit(
        Enumerable.Range(0, 2).Select(i => new TrainingImage { Image = Part(side, i) }), Options(images, backbone));

    private static InspectionOptions Options(ImageOptions images, string backbone) => new()
    {
        Backbone = new() { Name = backbone },
        Images = images,
        Method = new KagOptions { Memory = new() { Views = SupportViews.AsGiven } },
        Device = "cpu",
        Seed = 1,
    };

    /// <summary>A smooth ground with little noise.</summary>
    private static PixelBuffer Part(int side, int seed)
    {
        var (rgb, random) = (new byte[3 * side * side], new Random(seed));
        for (var i = 0; i < rgb.Length; i++)
        {
            rgb[i] = (byte)(110 + random.Next(8));
        }

        return new PixelBuffer(side, side, rgb);
    }

    private static PixelBuffer Spotted(int side, int row, int column)
    {
        var rgb = Part(side, 9).Rgb;
        for (var y = Math.Max(0, row - 6); y < Math.Min(side, row + 7); y++)
        {
            for (var x = Math.Max(0, column - 6); x < Math.Min(side, column + 7); x++)
            {
                rgb.AsSpan(3 * ((y * side) + x), 3).Fill(250);
            }
        }

        return new PixelBuffer(side, side, rgb);
    }

    private static PixelBuffer Cut(PixelBuffer square, int top, int left)
    {
        var (all, rgb) = (square.Rgb, new byte[3 * Side * Side]);
        for (var y = 0; y < Side; y++)
        {
            all.AsSpan(3 * (((top + y) * square.Width) + left), 3 * Side).CopyTo(rgb.AsSpan(3 * y * Side));
        }

        return new PixelBuffer(Side, Side, rgb);
    }
}
