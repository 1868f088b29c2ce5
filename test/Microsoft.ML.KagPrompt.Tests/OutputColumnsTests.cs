using System.Reflection;
using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Reporting;
using Microsoft.ML.KagPrompt.TestSupport;
using Microsoft.ML.Transforms.Image;

namespace Microsoft.ML.KagPrompt.Tests;

/// <summary>The appended columns: their annotations, their shapes before fitting, and the pictures.</summary>
public sealed class OutputColumnsTests(PartFolder parts) : IClassFixture<PartFolder>
{
    private static readonly KagPromptOptions Small = new() { Training = new() { Epochs = 0 }, Images = new() { Size = 56 }, Device = "cpu" };

    private readonly MLContext ml = new(seed: 1);

    [Fact]
    public void Heatmaps_ByEngineAndEnumerable_IsTheOverlayOfTheImage()
    {
        using var model = Pipeline(Small with { Columns = Small.Columns with { HeatmapPng = "Picture", Heatmap = "Overlay" } }).Fit(View(parts.Normal));
        var scored = model.Transform(View(parts.Queries));
        var rows = ml.Data.CreateEnumerable<Drawn>(scored, reuseRowObject: false).ToArray();
        using var engine = ml.Model.CreatePredictionEngine<PartRow, Drawn>(model, new PredictionEngineOptions { OwnsTransformer = false });
        var photograph = ImageCodec.Read(parts.Queries[3]);
        var map = model.LastTransformer.Model.MapToImage(rows[3].AnomalyMap, photograph.Width, photograph.Height);
        var expected = HeatmapRenderer.Overlay(photograph, map, MapScale.Of(model.LastTransformer.Calibration()));
        ImageCodec.Read(rows[3].Picture, "the column").Rgb.Should().Equal(expected.Rgb);
        ImageAdapter.ToPixels(rows[3].Overlay, int.MaxValue, "the column", ImageOrientation.Exif).Rgb.Should().Equal(expected.Rgb);
        var predicted = engine.Predict(new PartRow { ImagePath = parts.Queries[3] });
        ImageCodec.Read(predicted.Picture, "the column").Rgb.Should()
            .Equal(ImageAdapter.ToPixels(predicted.Overlay, int.MaxValue, "the column", ImageOrientation.Exif).Rgb);
        foreach (var row in rows.Append(predicted))
        {
            row.Overlay!.Dispose();
        }
    }

    [Fact]
    public void Schemas_BeforeAndAfterFitting_AnnotateScoresAsTrainersDo()
    {
        var pipeline = Pipeline(Small with { Columns = Small.Columns with { Score = "S", HeatmapPng = "Picture" } });
        using var model = pipeline.Fit(View(parts.Normal));
        var fitted = model.GetOutputSchema(View(parts.Normal).Schema);
        var (score, decision, probability) = (Annotations(fitted["S"]), Annotations(fitted["PredictedLabel"]),
            Annotations(fitted["Probability"]));
        score.Should().Equal("ScoreColumnSetId=1", "ScoreColumnKind=AnomalyDetection", "ScoreValueKind=Score");
        decision.Should().Equal("ScoreColumnSetId=1", "ScoreColumnKind=AnomalyDetection", "ScoreValueKind=PredictedLabel");
        probability.Should().Equal("ScoreColumnSetId=1", "ScoreColumnKind=AnomalyDetection", "ScoreValueKind=Probability",
            "IsNormalized=True");
        fitted["AnomalyMap"].Annotations.Schema.Select(kind => kind.Name).Should().Equal("ResizeMode");

        var promised = pipeline.GetOutputSchema(Shape(View(parts.Normal).Schema)).OrderBy(column => column.Name).ToArray();
        var made = Shape(fitted).OrderBy(column => column.Name).ToArray();
        promised.Select(Describe).Should().Equal(made.Select(Describe));
    }

    [Fact]
    public void Schema_AfterAnotherScorer_HasASetOfItsOwn()
    {
        using var first = Pipeline(Small).Fit(View(parts.Normal));
        using var second = ml.Transforms.DetectAnomaliesKag(Small with { Columns = Small.Columns with { Score = "S2", PredictedLabel = "P2", AnomalyMap = "M2", Probability = null } })
            .Fit(first.Transform(View(parts.Normal)));
        Annotations(second.GetOutputSchema(first.GetOutputSchema(View(parts.Normal).Schema))["S2"])[0].Should().Be("ScoreColumnSetId=2");
        ml.AnomalyDetection.Evaluate(first.Transform(View(parts.Queries, i => i >= 3))).AreaUnderRocCurve.Should()
            .Be(1, "ML.NET's own evaluation needs no names");
    }

    [Theory]
    [InlineData(nameof(ColumnOptions.Label), "Truth", "*'Truth'*Label*missing*")]
    [InlineData(nameof(ColumnOptions.Label), "Product", "*'Product'*Label*wrong type*")]
    [InlineData(nameof(ColumnOptions.ClassName), "Class", "*'Class'*ClassName*missing*")]
    [InlineData(nameof(ColumnOptions.ClassName), "Label", "*'Label'*ClassName*wrong type*")]
    [InlineData(nameof(ColumnOptions.Support), "Label", "*'Label'*Support*wrong type*")]
    [InlineData(nameof(ColumnOptions.Image), "Picture", "*'Picture'*Image*missing*")]
    public void GetOutputSchema_MissingOrWrongColumn_IsRefusedAsFitRefusesIt(string option, string name, string message)
    {
        var columns = new ColumnOptions();
        typeof(ColumnOptions).GetProperty(option)!.SetValue(columns, name);
        var options = Small with { Columns = columns };
        var pipeline = ml.Transforms.LoadImages("Image", "", "ImagePath").Append(ml.Transforms.DetectAnomaliesKag(options));
        FluentActions.Invoking(() => pipeline.GetOutputSchema(Shape(View(parts.Normal).Schema))).Should()
            .Throw<ArgumentOutOfRangeException>().WithMessage(message);
        FluentActions.Invoking(() => pipeline.Fit(View(parts.Normal))).Should().Throw<ArgumentOutOfRangeException>().WithMessage(message);
    }

    [Fact]
    public void EvaluatePixels_MapsOfACroppingModel_BringMasksThereAlike()
    {
        var mask = parts.Path("mask.png");
        // The defect lies at the left edge of a wide image: a crop does not show it, a stretch does.
        TestImages.Write(new PixelBuffer(120, 60, [.. Enumerable.Range(0, 120 * 60 * 3).Select(k => (byte)(k / 3 % 120 < 20 ? 255 : 0))]),
            mask);
        TestImages.Write(TestImages.Part(120, 60, 1), parts.Path("wide.png"));
        var rows = ml.Data.LoadFromEnumerable([new Masked { ImagePath = parts.Path("wide.png"), MaskPath = mask, Label = 1 }]);
        using var model = Pipeline(Small with { Images = Small.Images with { ResizeMode = ResizeMode.CropShortSide } }).Fit(View(parts.Normal));
        var scored = model.Transform(rows);
        ml.AnomalyDetection.EvaluatePixels(scored).Mean.Regions.Should().Be(0);
        ml.AnomalyDetection.EvaluatePixels(scored, resizeMode: ResizeMode.Stretch).Mean.Regions.Should()
            .Be(1, "what is said outright counts");
    }

    private EstimatorChain<KagPromptTransformer> Pipeline(KagPromptOptions options) => ml.Transforms.LoadImages("Image", "", "ImagePath")
        .Append(ml.Transforms.DetectAnomaliesKag(options));

    private IDataView View(string[] paths, Func<int, bool>? flag = null)
        => ml.Data.LoadFromEnumerable(paths.Select((path, i) => new PartRow { ImagePath = path, Label = flag?.Invoke(i) == true ? 1 : 0 })
            .ToArray());

    private static SchemaShape Shape(DataViewSchema schema)
        => (SchemaShape)typeof(SchemaShape).GetMethod("Create", BindingFlags.Static | BindingFlags.NonPublic)!.Invoke(null, [schema])!;

    private static string Describe(SchemaShape.Column column)
        => $"{column.Name} {column.Kind} {column.ItemType} {column.IsKey} "
            + $"[{string.Join(", ", column.Annotations.Select(kind => $"{kind.Name} {kind.Kind} {kind.ItemType} {kind.IsKey}").Order())}]";

    private static string[] Annotations(DataViewSchema.Column column) => [.. column.Annotations.Schema.Select(kind => kind.Type switch
    {
        TextDataViewType => $"{kind.Name}={Value<ReadOnlyMemory<char>>(column, kind.Name)}",
        BooleanDataViewType => $"{kind.Name}={Value<bool>(column, kind.Name)}",
        _ => $"{kind.Name}={Value<uint>(column, kind.Name)}",
    })];

    private static T Value<T>(DataViewSchema.Column column, string kind)
    {
        T value = default!;
        column.Annotations.GetValue(kind, ref value);
        return value;
    }

    private sealed class Drawn
    {
        public byte[] Picture { get; set; } = [];

        // Any size will do.
        [ImageType(1, 1)]
        public MLImage? Overlay { get; set; }

        public float[] AnomalyMap { get; set; } = [];
    }

    private sealed class Masked
    {
        public string ImagePath { get; set; } = "";

        public string MaskPath { get; set; } = "";

        public float Label { get; set; }
    }
}
