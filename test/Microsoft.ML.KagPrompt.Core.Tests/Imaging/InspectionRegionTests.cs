using System.Text;
using System.Text.Json;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Tests.Imaging;

/// <summary>Regions from masks, polygons and JSON: the same place is the same region, and what marks none is refused.</summary>
public class InspectionRegionTests
{
    private const string Rectangle =
        """{"width":12,"height":8,"inspect":[[[3,1],[10,1],[10,7],[3,7]]],"ignore":[[[5,3],[6,3],[6,4],[5,4]]]}""";

    [Fact]
    public void FromJson_Rectangle_IsTheMaskOfItsPixels()
    {
        byte[] mask = [.. Enumerable.Range(0, 96).Select(p => (X: p % 12, Y: p / 12))
            .Select(p => (byte)(p.X is >= 3 and < 10 && p.Y is >= 1 and < 7 && p != (5, 3) ? 7 : 0))];
        var (polygons, picture) = (InspectionRegion.FromJson(Rectangle), InspectionRegion.FromMask(12, 8, mask));
        polygons.Should().Be(picture);
        polygons.GetHashCode().Should().Be(picture.GetHashCode());
        polygons.ToMask().Should().Equal(mask.Select(mark => (byte)(mark > 0 ? 1 : 0)));
        polygons.Share.Should().Be(41.0 / 96);
        mask[0] = 1;
        picture.Should().NotBe(InspectionRegion.FromMask(12, 8, mask), "a pixel more is another region");
        mask[0] = 0;
        InspectionRegion.FromMask(8, 12, mask).Should().NotBe(picture, "and so is another shape");
    }

    [Fact]
    public void FromPolygons_Triangles_HoldThePixelsWhoseMiddleLiesOnTheInnerSideOfAllEdges()
    {
        var random = new Random(4);
        for (var i = 0; i < 40; i++)
        {
            (double X, double Y)[] triangle = [.. Enumerable.Range(0, 3).Select(_ => (30 * random.NextDouble(), 20 * random.NextDouble()))];
            bool[] expected = [.. Enumerable.Range(0, 600).Select(p => IsInside(triangle, (p % 30) + 0.5, (p / 30) + 0.5))];
            if (expected.Contains(true))
            {
                InspectionRegion.FromPolygons(30, 20, [triangle]).ToMask().Should().Equal(expected.Select(mark => (byte)(mark ? 1 : 0)));
                InspectionRegion.FromPolygons(30, 20, [], [triangle]).ToMask()
                    .Should().Equal(expected.Select(mark => (byte)(mark ? 0 : 1)), "without a place to inspect, all but what is left out is");
            }
        }
    }

    [Fact]
    public void FromJson_Shares_MarkTheSamePlaceOfImagesOfEveryShape()
    {
        var region = InspectionRegion.FromJson("""{"inspect":[[[0.25,0],[0.75,0],[0.75,0.5],[0.25,0.5]]]}""");
        (region.HasShape, region.Share).Should().Be((false, 0.25));
        region.Fits(640, 480).Should().BeTrue();
        var square = new ImagePreprocessor(40, ResizeMode.Stretch, [0, 0, 0], [1, 1, 1]).Place(region);
        square.Inside.Should().Equal(Enumerable.Range(0, 1600).Select(p => p % 40 is >= 10 and < 30 && p / 40 < 20));
    }

    [Theory]
    [InlineData(640, 480, true)]
    [InlineData(1280, 960, true)]
    [InlineData(333, 250, true)]
    [InlineData(480, 640, false)]
    [InlineData(640, 640, false)]
    [InlineData(1920, 1080, false)]
    public void Fits_Sizes_ByShape(int width, int height, bool fits)
    {
        var region = InspectionRegion.FromPolygons(320, 240, [], [[(0, 0), (9, 0), (9, 9)]]);
        region.Fits(width, height).Should().Be(fits);
        var require = () => region.RequireFit(width, height, "'a.png'");
        if (fits)
        {
            require.Should().NotThrow();
        }
        else
        {
            require.Should().Throw<ImageReadException>().WithMessage($"'a.png' has {width} x {height} pixels*320 x 240*same shape*");
        }
    }

    [Fact]
    public void Json_OfOptions_IsReadAsItWasWritten()
    {
        var random = new Random(3);
        for (var i = 0; i < 20; i++)
        {
            byte[] mask = [.. Enumerable.Range(0, 15 * 11).Select(_ => (byte)random.Next(2)).Append((byte)1).Skip(1)];
            var region = InspectionRegion.FromMask(15, 11, mask);
            var read = JsonSerializer.Deserialize<InspectionRegion>(JsonSerializer.Serialize(region, JsonSerializerOptions.Web),
                JsonSerializerOptions.Web)!;
            read.Should().Be(region);
            read.ToMask().Should().Equal(mask);
        }
    }

    [Theory]
    [InlineData("""{"width":4,"height":4,"shape":true,"runs":[4,8]}""", "makes too few pixels")]
    [InlineData("""{"width":4,"height":4,"shape":true,"runs":[16]}""", "inspects nothing")]
    [InlineData("""{"width":4,"height":4,"shape":true,"runs":[20,-4]}""", "a length below 0")]
    [InlineData("""{"width":4,"height":4,"shape":true,"runs":[2147483647,2147483647,18]}""", "a sum that overflows to 16")]
    [InlineData("""{"width":40000,"height":40000,"shape":true,"runs":[0,1600000000]}""", "more pixels than a region may have")]
    [InlineData("""{"width":0,"height":4,"shape":true,"runs":[0,0]}""", "no pixels")]
    [InlineData("null", "nothing, within options", true)]
    public void Json_OfDamagedOptions_IsRefused(string json, string why, bool isNull = false)
    {
        var read = () => JsonSerializer.Deserialize<InspectionRegion>(json, JsonSerializerOptions.Web);
        if (isNull)
        {
            var options = new InspectionOptions { Regions = new Dictionary<string, InspectionRegion> { ["bolt"] = read()! } };
            options.Invoking(with => with.Validate()).Should().Throw<ArgumentException>(why).WithMessage("*Regions['bolt']*");
        }
        else
        {
            read.Should().Throw<JsonException>(why);
        }
    }

    [Theory]
    [InlineData("", "*marks no region*")]
    [InlineData("[]", "*Expected an object of width, height, inspect and ignore, got Array*")]
    [InlineData("{}", "*Expected a polygon in inspect or ignore, got none*")]
    [InlineData("""{"inspect":[[[0,0],[1,0],[1,1]]],"mode":1}""", "*got 'inspect', 'mode'*")]
    [InlineData("""{"inspect":[[[0,0],[1,0],[1,1]]],"inspect":[[[0,0],[1,0],[1,1]]]}""", "*inspect*")]
    [InlineData("""{"width":9,"inspect":[[[0,0],[1,0],[1,1]]]}""", "*width and height, or neither*")]
    [InlineData("""{"width":9.5,"height":9,"inspect":[[[0,0],[1,0],[1,1]]]}""", "*width: expected a whole number of pixels, got 9.5*")]
    [InlineData("""{"width":-9,"height":9,"inspect":[[[0,0],[1,0],[1,1]]]}""", "*got -9 x 9*")]
    [InlineData("""{"width":1000000,"height":1000000,"inspect":[[[0,0],[1,0],[1,1]]]}""", "*at most 100000000 pixels*")]
    [InlineData("""{"width":9,"height":9,"inspect":[[[0,0],[1,0]]]}""", "*inspect[0]*three or more points, got 2*")]
    [InlineData("""{"width":9,"height":9,"inspect":[[[0,0],[1,0],[1]]]}""", "*inspect[0][2]: expected a point [x, y], got [1]*")]
    [InlineData("""{"width":9,"height":9,"inspect":[[[0,0],[1,0],[1,"1"]]]}""", "*inspect[0][2]*")]
    [InlineData("""{"width":9,"height":9,"inspect":[[[0,0],[9.5,0],[1,1]]]}""", "*0..9, 0..9, got (9.5, 0)*")]
    [InlineData("""{"inspect":[[[0,0],[1,0],[1,2]]]}""", "*0..1, 0..1, got (1, 2)*shares*")]
    [InlineData("""{"inspect":[[[0,0],[1e999,0],[1,1]]]}""", "*got (*")]
    [InlineData("""{"width":9,"height":9,"inspect":[[[0,0],[0.3,0],[0.3,0.3]]]}""", "*expected something to inspect*")]
    [InlineData("""{"width":9,"height":9,"ignore":[[[0,0],[9,0],[9,9],[0,9]]]}""", "*expected something to inspect*")]
    [InlineData("""{"inspect":[[[[[[[[[[0]]]]]]]]]]}""", "*marks no region*")]
    [InlineData("""{"inspect":7}""", "*inspect: expected a list, got 7*")]
    [InlineData("""{"inspect":null}""", "*inspect: expected a list, got null*")]
    public void FromJson_OfNoRegion_IsRefusedAndSaysWhy(string json, string message)
        => FluentActions.Invoking(() => InspectionRegion.FromJson(json, "'roi.json'")).Should().Throw<ImageReadException>()
            .WithMessage("'roi.json'*").WithMessage(message);

    [Fact]
    public void FromJson_TooMuch_IsRefusedBeforeItTakesTime()
    {
        var zigzag = string.Join(',', Enumerable.Range(0, RegionPolygons.MostPoints + 1).Select(i => $"[{i % 2},{i % 3}]"));
        FluentActions.Invoking(() => InspectionRegion.FromJson($"{{\"width\":9,\"height\":9,\"inspect\":[[{zigzag}]]}}"))
            .Should().Throw<ImageReadException>().WithMessage("*at most 10000 points*");
        FluentActions.Invoking(() => InspectionRegion.FromJson(new string(' ', RegionJson.MostBytes + 1)))
            .Should().Throw<ImageReadException>().WithMessage("*bytes*");
    }

    [Fact]
    public void FromJson_MutatedText_IsARegionOrRefused()
    {
        var random = new Random(1);
        var (kept, refused) = (0, 0);
        for (var i = 0; i < 3000; i++)
        {
            try
            {
                InspectionRegion.FromJson(Encoding.UTF8.GetString(Mutation.Changed(Encoding.UTF8.GetBytes(Rectangle), random))).ToMask()
                    .Should().Contain(1);
                kept++;
            }
            catch (ImageReadException)
            {
                refused++;
            }
        }

        kept.Should().BeGreaterThan(20);
        refused.Should().BeGreaterThan(1000);
    }

    [Fact]
    public void FromMask_NothingOrWrongLengthOrSpeckled_IsRefused()
    {
        FluentActions.Invoking(() => InspectionRegion.FromMask(4, 4, new byte[16])).Should().Throw<ArgumentException>()
            .WithMessage("*something to inspect, got 4 x 4*White*");
        FluentActions.Invoking(() => InspectionRegion.FromMask(4, 4, new byte[15])).Should().Throw<ArgumentException>()
            .WithMessage("*16 bytes*got 15*");
        byte[] speckled = [.. Enumerable.Range(0, 1100 * 1000).Select(p => (byte)(p % 2))];
        FluentActions.Invoking(() => InspectionRegion.FromMask(1100, 1000, speckled)).Should().Throw<ArgumentException>()
            .WithMessage("*plain edges*");
    }

    [Fact]
    public void Turned_Region_TurnsWithThePicture()
    {
        var noise = TestImages.Noise(9, 9, 2);
        var inside = Enumerable.Range(0, 81).Select(p => noise.Rgb[3 * p] > 99).ToArray();
        var turned = new SquareRegion(9, inside, [0, 0, 0]).Seen(isMirrored: false, 1).Inside;
        // Clockwise: what was at the left bottom is at the left top.
        turned.Should().Equal(Enumerable.Range(0, 81).Select(p => inside[((8 - (p % 9)) * 9) + (p / 9)]));
    }

    /// <summary>Held against each edge by the sign of the area; independent of rows and crossings.</summary>
    private static bool IsInside((double X, double Y)[] triangle, double x, double y)
    {
        var signs = Enumerable.Range(0, 3).Select(i => (triangle[i], triangle[(i + 1) % 3])).Select(edge =>
            Math.Sign(((edge.Item2.X - edge.Item1.X) * (y - edge.Item1.Y))
                - ((edge.Item2.Y - edge.Item1.Y) * (x - edge.Item1.X)))).ToArray();
        return signs.Distinct().Count() == 1;
    }
}
