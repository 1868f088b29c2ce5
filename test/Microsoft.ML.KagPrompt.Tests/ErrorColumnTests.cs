using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Tests;

/// <summary>Bad images among good ones: the pass ends, or goes on with a row that says why.</summary>
public sealed class ErrorColumnTests : IClassFixture<PartFolder>
{
    private static readonly KagPromptOptions Small = new() { Images = new() { Size = 56, MaxPixels = 20_000 }, Device = "cpu", InferenceBatchSize = 4 };

    private readonly PartFolder parts;
    private readonly MLContext ml = new(seed: 1);
    private readonly string[] paths;

    public ErrorColumnTests(PartFolder parts)
    {
        this.parts = parts;
        File.WriteAllBytes(parts.Path("half.png"), File.ReadAllBytes(parts.Queries[0])[..2000]);
        File.WriteAllText(parts.Path("text.png"), "no picture");
        TestImages.Write(TestImages.Part(200, 200, 1), parts.Path("large.png"));
        paths = [parts.Queries[0], parts.Path("half.png"), parts.Queries[3], parts.Path("text.png"), parts.Path("absent.png"), parts.Path("large.png"), parts.Queries[1]];
    }

    [Theory]
    [InlineData(MapResolution.Model)]
    [InlineData(MapResolution.Image)]
    public void Transform_BadImages_GetNoVerdictAndAnError(MapResolution resolution)
    {
        using var model = Pipeline(new() { ErrorColumnName = "Error", HeatmapPng = "Picture", MapResolution = resolution }).Fit(View(parts.Normal));
        var rows = ml.Data.CreateEnumerable<Drawn>(model.Transform(View(paths)), reuseRowObject: false).ToArray();
        var due = ml.Data.CreateEnumerable<Row>(model.Transform(View([parts.Queries[0], parts.Queries[3], parts.Queries[1]])), reuseRowObject: false).ToArray();
        foreach (var (row, expected) in new[] { rows[0], rows[2], rows[6] }.Zip(due))
        {
            // In another company the last bits differ.
            row.Score.Should().BeApproximately(expected.Score, 1e-5f);
            (row.PredictedLabel, row.Error).Should().Be((expected.PredictedLabel, ""));
            row.AnomalyMap.Should().HaveCount(expected.AnomalyMap.Length).And.NotContain(value => float.IsNaN(value));
        }

        rows[0].Picture.Should().NotBeEmpty();
        foreach (var i in new[] { 1, 3, 4, 5 })
        {
            (rows[i].Score, rows[i].Probability, rows[i].PredictedLabel).Should().Be((float.NaN, float.NaN, true), "what was not seen is not passed");
            rows[i].AnomalyMap.Should().HaveCount(resolution == MapResolution.Model ? 56 * 56 : 0).And.NotContain(value => !float.IsNaN(value));
            rows[i].Picture.Should().BeEmpty();
            rows[i].Error.Should().Contain($"Row {i}, column 'Image'").And.Contain(Path.GetFileName(paths[i]));
        }
    }

    [Fact]
    public void Predict_BadImage_GetsNoVerdictAndAnError()
    {
        using var model = Pipeline(new() { ErrorColumnName = "Error" }).Fit(View(parts.Normal));
        using var engine = ml.Model.CreatePredictionEngine<PartRow, Row>(model, new PredictionEngineOptions { OwnsTransformer = false });
        var bad = engine.Predict(new PartRow { ImagePath = paths[1] });
        (bad.Score, bad.PredictedLabel).Should().Be((float.NaN, true));
        bad.Error.Should().Contain("half.png");
        engine.Predict(new PartRow { ImagePath = paths[0] }).Error.Should().BeEmpty();
    }

    [Fact]
    public void Transform_WithoutTheColumn_EndsNamingRowAndPath()
    {
        using var model = Pipeline(new()).Fit(View(parts.Normal));
        model.Transform(View(paths)).Invoking(view => view.GetColumn<float>("Score").ToArray()).Should().Throw<ImageReadException>()
            .WithMessage("Row 1, column 'Image'*half.png*");
        model.GetOutputSchema(View(paths).Schema).Should().NotContain(column => column.Name == "Error");
    }

    [Fact]
    public void Transform_ImageThatDoesNotFitItsRegion_IsNamedAmongItsBatch()
    {
        var region = InspectionRegion.FromPolygons(96, 90, [[(10, 10), (90, 10), (90, 80)]], []);
        var normal = parts.Normal.Where(path => ImageCodec.Read(path).Width == 96).ToArray();
        var options = Small with { Regions = new Dictionary<string, InspectionRegion> { ["object"] = region } };
        TestImages.Write(TestImages.Part(60, 130, 1), parts.Path("upright.png"));
        string[] mixed = [normal[0], parts.Path("upright.png"), normal[0]];
        using (var strict = Pipeline(options.Columns, options).Fit(View(normal)))
        {
            strict.Transform(View(mixed)).Invoking(view => view.GetColumn<float>("Score").ToArray()).Should().Throw<ImageReadException>()
                .WithMessage("Row 1, column 'Image'*upright.png*");
        }

        using var model = Pipeline(new() { ErrorColumnName = "Error" }, options).Fit(View(normal));
        var scored = model.Transform(View(mixed));
        scored.GetColumn<float>("Score").Select(float.IsNaN).Should().Equal(false, true, false);
        scored.GetColumn<string>("Error").Select(error => error.Contains("upright.png", StringComparison.Ordinal)).Should().Equal(false, true, false);
    }

    [Fact]
    public void SaveAndLoad_KeepTheColumn()
    {
        using var saved = new MemoryStream();
        using (var model = Pipeline(new() { ErrorColumnName = "Why" }).Fit(View(parts.Normal)))
        {
            ml.Model.Save(model, View(parts.Normal).Schema, saved);
        }

        saved.Position = 0;
        var loaded = ml.Model.Load(saved, out _);
        using var owned = loaded as IDisposable;
        loaded.GetOutputSchema(View(paths).Schema).Last(column => !column.IsHidden).Name.Should().Be("Why");
        loaded.Transform(View(paths)).GetColumn<string>("Why").Count(error => error.Length > 0).Should().Be(4);
    }

    [Fact]
    public void EvaluatePixels_RowsWithoutVerdict_AreLeftOut()
    {
        using var model = Pipeline(new() { ErrorColumnName = "Error" }).Fit(View(parts.Normal));
        var mask = parts.Path("mask.png");
        TestImages.Write(TestPictures.Plain(96, 90, 255), mask);
        IDataView Rows(params (string Image, string? Mask)[] rows) => ml.Data.LoadFromEnumerable(rows.Select(row => new MaskedRow { ImagePath = row.Image, Mask = row.Mask ?? "" }).ToArray());
        var all = ml.AnomalyDetection.EvaluatePixels(model.Transform(Rows((parts.Queries[0], null), (parts.Path("text.png"), mask), (parts.Queries[1], null))), maskPathColumnName: "Mask", labelColumnName: null);
        all.Mean.Images.Should().Be(2);
    }

    private EstimatorChain<KagPromptTransformer> Pipeline(ColumnOptions columns, KagPromptOptions? options = null)
        => ml.Transforms.LoadImages("Image", "", "ImagePath").Append(ml.Transforms.DetectAnomaliesKag((options ?? Small) with { Columns = columns }));

    private IDataView View(string[] images) => ml.Data.LoadFromEnumerable(images.Select(path => new PartRow { ImagePath = path }).ToArray());

    private sealed class MaskedRow
    {
        public string ImagePath { get; set; } = "";

        public string Mask { get; set; } = "";
    }

    private class Row
    {
        public float Score { get; set; }

        public bool PredictedLabel { get; set; }

        public float Probability { get; set; }

        public float[] AnomalyMap { get; set; } = [];

        public string Error { get; set; } = "";
    }

    private sealed class Drawn : Row
    {
        public byte[] Picture { get; set; } = [];
    }
}
