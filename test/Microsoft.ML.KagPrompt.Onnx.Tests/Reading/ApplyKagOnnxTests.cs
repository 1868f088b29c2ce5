using System.Reflection;
using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Onnx.Tests.Reading;

/// <summary>An exported file in ML.NET pipelines: the columns of the transformer it was exported from.</summary>
public sealed class ApplyKagOnnxTests(ExportedPart part) : IClassFixture<ExportedPart>
{
    private readonly MLContext ml = new(seed: 1);

    [Fact]
    public void Transform_Images_AppendsTheTransformersColumns()
    {
        using var model = Pipeline().Fit(View());
        var (expected, scored) = (part.Transformer.Transform(View()), model.Transform(View()));
        scored.Schema.Select(Describe).Should().Equal(expected.Schema.Select(Describe));
        var rows = ml.Data.CreateEnumerable<Verdict>(scored, reuseRowObject: false).ToArray();
        foreach (var (row, due) in rows.Zip(ml.Data.CreateEnumerable<Verdict>(expected, reuseRowObject: false)))
        {
            row.Score.Should().BeApproximately(due.Score, 1e-5f);
            row.Probability.Should().BeApproximately(due.Probability, 1e-3f);
            row.AnomalyMap.Zip(due.AnomalyMap).Max(pair => Math.Abs(pair.First - pair.Second)).Should().BeLessThan(1e-4f);
            (row.PredictedLabel, row.IsForeign, row.ImagePath).Should().Be((due.PredictedLabel, due.IsForeign, due.ImagePath));
        }

        rows.Select(row => row.PredictedLabel).Should().Equal(part.Transformer.Transform(View()).GetColumn<bool>("PredictedLabel")).And.Contain(true);
    }

    [Fact]
    public void Schema_BeforeFitting_PromisesWhatIsMade()
    {
        var options = new KagOnnxOptions { Columns = new() { Score = "S", HeatmapPng = "Picture", MapResolution = MapResolution.Image, ClassName = "Product" } };
        var pipeline = Pipeline(options);
        using var model = pipeline.Fit(View());
        var made = model.GetOutputSchema(View().Schema);
        pipeline.GetOutputSchema(Shape(View().Schema)).Select(Describe).Order().Should().Equal(Shape(made).Select(Describe).Order());
        made.Select(column => column.Name).Should().Contain(["S", "Picture"]);
    }

    [Fact]
    public void SaveAndLoad_WithoutTheFile_GivesTheSameBits()
    {
        var (moved, zip) = (part.Path("moved.onnx"), part.Path("pipeline.zip"));
        File.Copy(part.File, moved);
        float[][] scores;
        using (var model = Pipeline(new() { Columns = new() { HeatmapPng = "Picture" } }, moved).Fit(View()))
        {
            ml.Model.Save(model, View().Schema, zip);
            scores = [.. model.Transform(View()).GetColumn<float[]>("AnomalyMap")];
        }

        File.Delete(moved);
        using var loaded = (TransformerChain<ITransformer>)ml.Model.Load(zip, out _);
        var scored = loaded.Transform(View());
        foreach (var (map, due) in scored.GetColumn<float[]>("AnomalyMap").Zip(scores))
        {
            map.Should().Equal(due);
        }

        ImageCodec.Read(scored.GetColumn<byte[]>("Picture").First(), "the column").Width.Should().Be(part.Images[0].Width);
        ((KagOnnxTransformer)loaded.Last()).Options.Inspector.Should().Be(new OnnxInspectorOptions());
    }

    [Fact]
    public void PredictionEngine_Image_GivesTheViewsVerdict()
    {
        using var model = Pipeline(new() { InferenceBatchSize = 2 }).Fit(View());
        using var engine = ml.Model.CreatePredictionEngine<PartRow, Verdict>(model, new PredictionEngineOptions { OwnsTransformer = false });
        var scores = model.Transform(View()).GetColumn<float>("Score").ToArray();
        scores.Should().HaveCount(5);
        foreach (var (i, score) in scores.Index())
        {
            engine.Predict(new PartRow { ImagePath = part.Queries[i] }).Score.Should().BeApproximately(score, 1e-5f);
        }
    }

    [Fact]
    public void Transform_BadImageWithErrorColumn_GetsNoVerdictAndAnError()
    {
        var bad = part.Path("half.png");
        File.WriteAllBytes(bad, File.ReadAllBytes(part.Queries[0])[..2000]);
        using var model = Pipeline(new() { Columns = new() { ErrorColumnName = "Error" } }).Fit(View());
        var scored = model.Transform(ExportedPart.Rows(ml, [part.Queries[0], bad, part.Queries[4]]));
        scored.GetColumn<float>("Score").Select(float.IsNaN).Should().Equal(false, true, false);
        scored.GetColumn<bool>("PredictedLabel").ElementAt(1).Should().BeTrue();
        scored.GetColumn<string>("Error").ElementAt(1).Should().Contain("Row 1, column 'Image'").And.Contain("half.png");
        scored.GetColumn<float[]>("AnomalyMap").ElementAt(1).Should().OnlyContain(value => float.IsNaN(value));
    }

    [Fact]
    public void Rows_OfAnotherClassOrWithoutImage_AreRefused()
    {
        var options = new KagOnnxOptions { Columns = new() { ClassName = "Product" } };
        using var model = Pipeline(options).Fit(View());
        var rows = ml.Data.LoadFromEnumerable([new PartRow { ImagePath = part.Queries[0], Product = "screw" }]);
        FluentActions.Invoking(() => model.Transform(rows).GetColumn<float>("Score").ToArray()).Should().Throw<ArgumentException>()
            .WithMessage("*'screw'*expected 'object'*");
        var bare = ml.Transforms.ApplyKagOnnx(part.File);
        bare.Invoking(one => one.Fit(View())).Should().Throw<ArgumentOutOfRangeException>().WithMessage("*'Image'*missing*LoadImages*");
        bare.Invoking(one => one.GetOutputSchema(Shape(View().Schema))).Should().Throw<ArgumentOutOfRangeException>().WithMessage("*'Image'*missing*");
        FluentActions.Invoking(() => ml.Transforms.ApplyKagOnnx(part.File, "", new() { InferenceBatchSize = 0 })).Should().Throw<ArgumentException>()
            .WithMessage("*Columns.Image*").WithMessage("*InferenceBatchSize*");
    }

    [Fact]
    public void Load_DamagedZip_IsRefused()
    {
        var zip = part.Path("whole.zip");
        using (var model = Pipeline().Fit(View()))
        {
            ml.Model.Save(model, View().Schema, zip);
        }

        var bytes = File.ReadAllBytes(zip);
        Loading(ModelZip.With(bytes, "KagOnnx.options.json", text => [.. text.Select(letter => letter == (byte)'8' ? (byte)'9' : letter)]))
            .Should().Throw<ModelFormatException>().WithMessage("*options are damaged*");
        Loading(ModelZip.With(bytes, "KagOnnx.onnx", file => file[..^100])).Should().Throw<ModelFormatException>().WithMessage("*ONNX file*ends early*");
        for (var i = 0; i < 4; i++)
        {
            // A bit of a weight: nothing but the checksum tells.
            var flipped = (byte[])bytes.Clone();
            flipped[(bytes.Length / 2) + (i * 1000)] ^= 4;
            Loading(flipped).Should().Throw<ModelFormatException>();
        }

        Func<ITransformer> Loading(byte[] changed) => () =>
        {
            File.WriteAllBytes(part.Path("changed.zip"), changed);
            try
            {
                return ml.Model.Load(part.Path("changed.zip"), out _);
            }
            catch (TargetInvocationException wrapped)
            {
                // ML.NET wraps what the library says, once for the pipeline and once for its part.
                var fault = wrapped.InnerException;
                for (; fault is TargetInvocationException inner; fault = inner.InnerException)
                {
                }

                throw fault!;
            }
        };
    }

    private EstimatorChain<KagOnnxTransformer> Pipeline(KagOnnxOptions? options = null, string? path = null)
        => ml.Transforms.LoadImages("Image", "", "ImagePath").Append(ml.Transforms.ApplyKagOnnx(path ?? part.File, "Image", options));

    private IDataView View() => ExportedPart.Rows(ml, part.Queries);

    private static string Describe(DataViewSchema.Column column)
        => $"{column.Name} {column.Type} [{string.Join(", ", column.Annotations.Schema.Select(kind => $"{kind.Name} {kind.Type} {Value(column, kind)}"))}]";

    private static string Describe(SchemaShape.Column column)
        => $"{column.Name} {column.Kind} {column.ItemType} [{string.Join(", ", column.Annotations.Select(kind => $"{kind.Name} {kind.Kind} {kind.ItemType}").Order())}]";

    private static string Value(DataViewSchema.Column column, DataViewSchema.Column kind)
    {
        if (kind.Type is not TextDataViewType)
        {
            return "";
        }

        ReadOnlyMemory<char> text = default;
        column.Annotations.GetValue(kind.Name, ref text);
        return text.ToString();
    }

    private static SchemaShape Shape(DataViewSchema schema)
        => (SchemaShape)typeof(SchemaShape).GetMethod("Create", BindingFlags.Static | BindingFlags.NonPublic)!.Invoke(null, [schema])!;

    private sealed class Verdict
    {
        public string ImagePath { get; set; } = "";

        public float Score { get; set; }

        public float Probability { get; set; }

        public bool PredictedLabel { get; set; }

        public bool IsForeign { get; set; }

        public float[] AnomalyMap { get; set; } = [];
    }
}
