using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Tests;

/// <summary>Regions from files, through ML.NET's pipeline and zip.</summary>
public sealed class RegionTests(PartFolder parts) : IClassFixture<PartFolder>
{
    // The bars of the defective parts lie in the upper third.
    private const string Lower = """{"inspect":[[[0,0.4],[1,0.4],[1,1],[0,1]]]}""";

    private readonly MLContext ml = new(seed: 1);

    [Fact]
    public void Fit_Regions_AreAppliedSavedAndAdapted()
    {
        File.WriteAllText(parts.Path("lower.json"), Lower);
        var options = new KagPromptOptions
        {
            Epochs = 0,
            ImageSize = 56,
            ClassNameColumnName = "Product",
            Columns = new() { ClassName = "Product", Heatmap = "Heatmap" },
            Regions = new Dictionary<string, InspectionRegion> { ["washer"] = RegionFile.Read(parts.Path("lower.json")) },
        };
        using var fitted = ml.Transforms.DetectAnomaliesKag(options).Fit(Rows(parts.Normal, "washer"));
        var zip = parts.Path("region.zip");
        ml.Model.Save(fitted, Rows(parts.Normal, "washer").Schema, zip);
        var loaded = ml.Model.Load(zip, out _);
        using var owned = loaded as IDisposable;
        var scored = loaded.Transform(Rows(parts.Queries, "washer"));
        // 22.4 rows of 56 lie above.
        var maps = scored.GetColumn<VBuffer<float>>("AnomalyMap").Select(map => map.DenseValues().ToArray()).ToArray();
        maps.Should().OnlyContain(map => Enumerable.Range(0, map.Length).All(p => float.IsNaN(map[p]) == p / 56 < 22));
        scored.GetColumn<float>("Score").Should().Equal(fitted.Transform(Rows(parts.Queries, "washer")).GetColumn<float>("Score"));
        scored.GetColumn<bool>("PredictedLabel").Skip(3).Should().OnlyContain(isAnomalous => !isAnomalous, "the bars are not inspected");
        scored.GetColumn<MLImage>("Heatmap").First().Width.Should().BePositive();
        var transformer = KagPromptTransformer.FindIn(loaded);
        transformer.Options.Regions["washer"].Should().Be(InspectionRegion.FromJson(Lower));
        var none = new Dictionary<string, InspectionRegion>();
        using var whole = ml.Transforms.DetectAnomaliesKag(options with { Regions = none }).Fit(Rows(parts.Normal, "washer"));
        whole.Transform(Rows(parts.Queries, "washer")).GetColumn<bool>("PredictedLabel").Skip(3)
            .Should().OnlyContain(isAnomalous => isAnomalous, "without a region they are");
        using var both = transformer.WithSupport(Rows(parts.Normal, "ring"),
            new Dictionary<string, InspectionRegion> { ["ring"] = InspectionRegion.FromJson(Lower) });
        both.Options.Regions.Keys.Should().BeEquivalentTo("washer", "ring");
        both.Inspect(parts.Queries[0], "ring").Map.Should().Contain(value => float.IsNaN(value));
    }

    [Theory]
    [InlineData(127, 128)]
    [InlineData(0, 255)]
    public void Read_Picture_InspectsWhatIsBrighterThanHalf(byte dark, byte bright)
    {
        var picture = new PixelBuffer(6, 4, [.. Enumerable.Range(0, 24)
            .SelectMany(p => new byte[] { dark, p % 6 < 2 ? bright : dark, dark })]);
        TestImages.Write(picture, parts.Path("region.png"));
        var region = RegionFile.Read(parts.Path("region.png"));
        region.Should().Be(InspectionRegion.FromJson("""{"width":6,"height":4,"inspect":[[[0,0],[2,0],[2,4],[0,4]]]}"""));
    }

    [Fact]
    public void Read_WhatMarksNoRegion_IsRefusedByItsName()
    {
        var png = File.ReadAllBytes(parts.Normal[0]);
        TestImages.Write(TestPictures.Plain(8, 8, 100), parts.Path("black.png"));
        foreach (var (name, content, message) in new (string, byte[]?, string)[]
        {
            ("missing.png", null, "*missing.png' cannot be read*no such file*"),
            ("empty.json", [], "*empty.json' is empty*"),
            ("words.json", "white is inspected"u8.ToArray(), "*words.json' is not an image*"),
            ("cut.json", "{\"inspect\":[[[0,0],[1,"u8.ToArray(), "*cut.json' marks no region*"),
            ("cut.png", png[..^200], "*cut.png'*"),
            ("long.json", [.. "{"u8, .. Enumerable.Repeat((byte)' ', 5 << 20)], "*long.json' has 5242881 bytes: expected at most*"),
            ("tower.tif", [(byte)'I', (byte)'I', 42, 0, 8, 0, 0, 0, 0, 0, 0, 0], "*is a TIFF*Convert it*"),
            ("black.png", null, "*black.png': region: expected something to inspect, got 8 x 8*"),
        })
        {
            if (content is not null)
            {
                File.WriteAllBytes(parts.Path(name), content);
            }

            FluentActions.Invoking(() => RegionFile.Read(parts.Path(name))).Should().Throw<ImageReadException>(name)
                .WithMessage("The region '*").WithMessage(message);
        }

        FluentActions.Invoking(() => RegionFile.Read(parts.Root)).Should().Throw<ImageReadException>().WithMessage("*is a folder*");
        File.WriteAllBytes(parts.Path("mark.json"), [0xEF, 0xBB, 0xBF, .. System.Text.Encoding.UTF8.GetBytes("\n " + Lower)]);
        RegionFile.Read(parts.Path("mark.json")).Share
            .Should().BeApproximately(0.6, 0.001, "editors begin a file with a mark, and people with a blank line");
    }

    private IDataView Rows(string[] paths, string product)
    {
        var rows = ml.Data.LoadFromEnumerable(paths.Select(path => new PartRow { ImagePath = path, Product = product }).ToArray());
        return ml.Transforms.LoadImages("Image", "", nameof(PartRow.ImagePath)).Fit(rows).Transform(rows);
    }
}
