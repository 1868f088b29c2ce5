using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.Fitting;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Reporting;
using Microsoft.ML.KagPrompt.TestSupport;
using Microsoft.ML.Transforms.Image;
using Xunit.Abstractions;
using static TorchSharp.torch;

namespace Microsoft.ML.KagPrompt.Tests;

/// <summary>What a user writes, from photographs to a loaded model.</summary>
public sealed class DetectAnomaliesKagTests(PartFolder parts, ITestOutputHelper output) : IClassFixture<PartFolder>
{
    /// <summary>For what does not depend on the size: a quarter of the time.</summary>
    private static readonly KagPromptOptions Small = new() { Training = new() { Epochs = 0 }, Images = new() { Size = 112 } };

    private readonly MLContext ml = new(seed: 1);

    [Fact]
    public void Fit_WithTraining_FindsDefectsAndSurvivesSaveAndLoad()
    {
        var normal = View(parts.Normal);
        using var model = Pipeline(new KagPromptOptions { Backbone = new() { Name = "compact" }, Training = new() { Epochs = 1, BatchSize = 4 }, Images = new() { Size = 112 }, Device = "cpu" }).Fit(normal);
        KagPromptTransformer.FindIn(model).BatchSize.Should().Be(8, "the processor's own, where none is named");
        var scored = model.Transform(View(parts.Queries, i => i >= 3));
        var scores = scored.GetColumn<float>("Score").ToArray();
        scores[3..].Min().Should().BeGreaterThan(scores[..3].Max(), "the bar is plain to see");
        scored.GetColumn<bool>("PredictedLabel").ToArray()[3..].Should().AllBeEquivalentTo(true);
        scored.Schema["AnomalyMap"].Type.Should().Be(new VectorDataViewType(NumberDataViewType.Single, 112, 112));

        var metrics = ml.AnomalyDetection.Evaluate(scored);
        metrics.AreaUnderRocCurve.Should().Be(1);

        var zip = parts.Path("trained.zip");
        ml.Model.Save(model, normal.Schema, zip);
        var again = ml.Model.Load(zip, out var schema);
        using var owned = again as IDisposable;
        schema.Select(column => column.Name).Should().Contain("ImagePath");
        Bits(again.Transform(View(parts.Queries))).Should().Equal(Bits(scored));
        FreshProcess(["bits", zip, .. parts.Queries]).Should().Equal(Bits(scored));
    }

    [Fact]
    public void Transform_CursorAndPredictionEngine_Agree()
    {
        using var model = Pipeline(Small with { InferenceBatchSize = 3 }).Fit(View(parts.Normal));
        KagPromptTransformer.FindIn(model).BatchSize.Should().Be(3);
        var scored = model.Transform(View(parts.Queries));
        var (scores, maps) = (scored.GetColumn<float>("Score").ToArray(), scored.GetColumn<float[]>("AnomalyMap").ToArray());
        using var engine = ml.Model.CreatePredictionEngine<PartRow, PartVerdict>(model, new PredictionEngineOptions { OwnsTransformer = false });
        for (var i = 0; i < parts.Queries.Length; i++)
        {
            var verdict = engine.Predict(new PartRow { ImagePath = parts.Queries[i] });
            verdict.Score.Should().BeApproximately(scores[i], 1e-5f);
            verdict.AnomalyMap.Should().Equal(maps[i], (a, b) => Math.Abs(a - b) <= 1e-5f);
        }
    }

    [Fact]
    public void Cursor_SomeColumnsOnly_GivesInputAndOutputOfTheSameRow()
    {
        using var model = Pipeline(Small with { InferenceBatchSize = 2 }).Fit(View(parts.Normal));
        var scored = model.Transform(View(parts.Queries));
        var all = scored.GetColumn<float>("Score").ToArray();
        using var cursor = scored.GetRowCursor([scored.Schema["Score"], scored.Schema["ImagePath"]]);
        var score = cursor.GetGetter<float>(scored.Schema["Score"]);
        var path = cursor.GetGetter<ReadOnlyMemory<char>>(scored.Schema["ImagePath"]);
        var (value, text, row) = (0f, default(ReadOnlyMemory<char>), 0);
        for (; cursor.MoveNext(); row++)
        {
            score(ref value);
            path(ref text);
            text.ToString().Should().Be(parts.Queries[row]);
            value.Should().Be(all[row]);
        }

        row.Should().Be(parts.Queries.Length);
        cursor.IsColumnActive(scored.Schema["AnomalyMap"]).Should().BeFalse();
    }

    [Fact]
    public void Pipeline_WithOtherTransforms_RoundTrips()
    {
        var normal = View(parts.Normal);
        using var model = Pipeline(Small)
            .Append(ml.Transforms.CopyColumns("Copy", "Score"))
            .Append(ml.Transforms.NormalizeMinMax("Scaled", "Score")).Fit(normal);
        var zip = parts.Path("chain.zip");
        ml.Model.Save(model, normal.Schema, zip);
        var again = ml.Model.Load(zip, out _);
        using var owned = again as IDisposable;
        again.Transform(View(parts.Queries)).GetColumn<float>("Scaled").Should().Equal(model.Transform(View(parts.Queries)).GetColumn<float>("Scaled"));
    }

    [Theory]
    [InlineData("single")]
    [InlineData("boolean")]
    [InlineData("key")]
    public void Fit_LabelColumn_KeepsDefectsOutAndSetsThresholdByThem(string kind)
    {
        var rows = Rows([.. parts.Normal, .. parts.Queries], i => i >= parts.Normal.Length + 3);
        IEstimator<ITransformer> label = kind switch
        {
            "single" => ml.Transforms.CopyColumns("Truth", "Label"),
            "boolean" => ml.Transforms.CopyColumns("Truth", "Flag"),
            _ => ml.Transforms.Conversion.MapValueToKey("Truth", "Label", keyOrdinality: Transforms.ValueToKeyMappingEstimator.KeyOrdinality.ByValue),
        };
        using var model = label.Append(ml.Transforms.LoadImages("Image", "", "ImagePath"))
            .Append(ml.Transforms.DetectAnomaliesKag(Small with { Columns = new() { Label = "Truth" } })).Fit(rows);
        var calibration = model.LastTransformer.Calibration();
        calibration.AnomalousScores.Should().HaveCount(2);
        calibration.NormalScores.Should().HaveCount(8);
        model.Transform(rows).GetColumn<bool>("PredictedLabel").Count(value => value).Should().Be(2);
    }

    [Fact]
    public void Fit_RowsOfFiles_NamesTheSupportToLookAtByItsFilesName()
    {
        using var model = Pipeline(Small).Fit(View(parts.Normal));
        var names = parts.Normal.Select(path => $"'{Path.GetFileName(path)}'");
        var sentence = model.LastTransformer.Calibration().Explanation;
        names.Should().ContainSingle(name => sentence.Contains($"Of the support images {name} scores highest", StringComparison.Ordinal));
    }

    [Fact]
    public void Fit_SupportColumn_OnlyFlaggedRowsMakeTheBank()
    {
        var rows = View(parts.Normal, i => i < 2);
        using var model = Pipeline(new KagPromptOptions { Training = new() { Epochs = 0 }, Columns = new() { Support = "Flag" } }).Fit(rows);
        // 28 × 28 patches each, and of its seven other views a seventh; of these the half.
        Bank(model.LastTransformer).shape[0].Should().BeInRange((int)(2 * 784 * 0.95), (int)(2 * 784 * 1.05));
        using var rotated = Pipeline(new KagPromptOptions { Training = new() { Epochs = 0 }, Columns = new() { Support = "Flag" }, Memory = new() { Views = SupportViews.Turned, ViewShare = 1 } }).Fit(rows);
        Bank(rotated.LastTransformer).shape[0].Should().Be(4 * 2 * 784 / 2);
    }

    [Fact]
    public void Fit_ClassColumn_HasBankAndThresholdPerClassAndRefusesUnknownOnes()
    {
        var rows = Rows(parts.Normal, _ => false);
        var products = ml.Data.CreateEnumerable<PartRow>(rows, reuseRowObject: false).Select((row, i) => { row.Product = i < 3 ? "washer" : "ring"; return row; }).ToArray();
        using var model = Pipeline(Small with { Columns = new() { ClassName = "Product" } }).Fit(ml.Data.LoadFromEnumerable(products));
        model.LastTransformer.Model.ClassNames.Should().BeEquivalentTo("washer", "ring");
        var query = ml.Data.LoadFromEnumerable([new PartRow { ImagePath = parts.Queries[0], Product = "bolt" }]);
        FluentActions.Invoking(() => model.Transform(query).GetColumn<float>("Score").ToArray()).Should().Throw<ArgumentException>().WithMessage("*'bolt'*'ring'*'washer'*");
    }

    [Fact]
    public void WithSupport_NewParts_ChangesTheBankAndLeavesTheOriginal()
    {
        using var model = Pipeline(Small).Fit(View(parts.Normal));
        var before = model.Transform(View(parts.Queries)).GetColumn<float>("Score").ToArray();
        var images = ml.Transforms.LoadImages("Image", "", "ImagePath").Fit(View(parts.Normal));
        using var adapted = model.LastTransformer.WithSupport(images.Transform(View(parts.Queries[3..])));
        var after = adapted.Transform(images.Transform(View(parts.Queries))).GetColumn<float>("Score").ToArray();
        after[3].Should().BeLessThan(before[3], "what was a defect is now the normal part");
        model.Transform(View(parts.Queries)).GetColumn<float>("Score").Should().Equal(before);
        model.Dispose();
        adapted.Transform(images.Transform(View(parts.Queries))).GetColumn<float>("Score").Should().Equal(after, "each owns what it needs");
    }

    [Fact]
    public void WithThreshold_Moved_ChangesDecisionsOnly()
    {
        using var model = Pipeline(Small).Fit(View(parts.Normal));
        var images = ml.Transforms.LoadImages("Image", "", "ImagePath").Fit(View(parts.Normal)).Transform(View(parts.Queries));
        using var strict = model.LastTransformer.WithThreshold(-1);
        using var lenient = model.LastTransformer.WithThreshold(100);
        strict.Transform(images).GetColumn<bool>("PredictedLabel").Should().AllBeEquivalentTo(true);
        lenient.Transform(images).GetColumn<bool>("PredictedLabel").Should().AllBeEquivalentTo(false);
        strict.Transform(images).GetColumn<float>("Score").Should().Equal(lenient.Transform(images).GetColumn<float>("Score"));
    }

    [Fact]
    public void Fit_InitialModel_UsesItsPromptWithoutTraining()
    {
        using var trained = Pipeline(new KagPromptOptions { Backbone = new() { Name = "compact" }, Training = new() { Epochs = 1, BatchSize = 4 }, Images = new() { Size = 112 } }).Fit(View(parts.Normal));
        var zip = parts.Path("initial.zip");
        ml.Model.Save(trained, View(parts.Normal).Schema, zip);
        using var fromTransformer = Pipeline(new KagPromptOptions { Backbone = new() { Name = "compact" }, Training = new() { Epochs = 0 }, Images = new() { Size = 112 }, InitialModel = trained.LastTransformer }).Fit(View(parts.Normal));
        using var fromFile = Pipeline(new KagPromptOptions { Backbone = new() { Name = "compact" }, Training = new() { Epochs = 0 }, Images = new() { Size = 112 }, InitialModelPath = zip }).Fit(View(parts.Normal));
        fromTransformer.LastTransformer.Model.HasPrompt.Should().BeTrue();
        Bits(fromTransformer.Transform(View(parts.Queries))).Should().Equal(Bits(trained.Transform(View(parts.Queries))));
        Bits(fromFile.Transform(View(parts.Queries))).Should().Equal(Bits(trained.Transform(View(parts.Queries))));
    }

    [Fact]
    public void Transform_MapsAtImageSizeAndHeatmap_HaveTheImagesOwnSize()
    {
        using var model = Pipeline(Small with { Columns = new() { MapResolution = MapResolution.Image, Heatmap = "Heatmap" } }).Fit(View(parts.Normal));
        var scored = model.Transform(View(parts.Queries));
        scored.GetColumn<float[]>("AnomalyMap").Select(map => map.Length).Should().Equal(parts.Queries.Select(path =>
        {
            using var image = MLImage.CreateFromFile(path);
            return image.Width * image.Height;
        }));
        scored.Schema["Heatmap"].Type.Should().BeOfType<ImageDataViewType>();
        using var heatmap = scored.GetColumn<MLImage>("Heatmap").First();
        heatmap.Height.Should().Be(90);
        var drawn = HeatmapRenderer.Overlay(ImageCodec.Read(parts.Queries[0]), scored.GetColumn<float[]>("AnomalyMap").First(), MapScale.ForCalibration(model.LastTransformer.Calibration()));
        ImageAdapter.ToPixels(heatmap, int.MaxValue, "Heatmap", ImageOrientation.Exif).Rgb.Should().Equal(drawn.Rgb, "the column holds the overlay on the class's scale");
    }

    [Fact]
    public void Transform_TwoThousandRows_KeepsResidentMemory()
    {
        var zip = parts.Path("memory.zip");
        using var model = Pipeline(new KagPromptOptions { Backbone = new() { Name = "compact" }, Training = new() { Epochs = 1, BatchSize = 16 }, Images = new() { Size = 56 } }).Fit(View(parts.Normal));
        ml.Model.Save(model, View(parts.Normal).Schema, zip);
        var resident = FreshProcess(["memory", zip, "2000", .. parts.Queries]).Select(line => line.Split(' ').Select(long.Parse).ToArray()).ToArray();
        output.WriteLine($"Resident after 200 rows {resident[0][0] >> 10} KiB, after 2000 rows {resident[1][0] >> 10} KiB; of that not backed by files {resident[0][1] >> 10} and {resident[1][1] >> 10} KiB.");
        // Pages of libtorch's file are dropped and fetched again by the kernel, so the process's own memory is held against the whole.
        ((double)(resident[1][1] - resident[0][1]) / resident[0][0]).Should().BeLessThanOrEqualTo(0.02);
    }

    [Fact]
    public void Transform_GreyAlphaAndTinyImages_Work()
    {
        using var model = Pipeline(Small).Fit(View(parts.Normal));
        var tiny = parts.Path("tiny.png");
        TestImages.Write(TestImages.Noise(1, 1, 3), tiny);
        var translucent = parts.Path("alpha.png");
        using (var image = MLImage.CreateFromPixels(4, 4, MLPixelFormat.Rgba32, [.. Enumerable.Range(0, 64).Select(i => (byte)(i * 4))]))
        {
            image.Save(translucent);
        }

        model.Transform(View([tiny, translucent])).GetColumn<float>("Score").Should().HaveCount(2).And.OnlyContain(score => float.IsFinite(score));
    }

    [Fact]
    public void GetOutputSchema_OfTheEstimator_AgreesWithTheFittedOne()
    {
        var pipeline = Pipeline(Small with { Columns = new() { Score = "S", PredictedLabel = "P", AnomalyMap = "M" } });
        var input = (SchemaShape)typeof(SchemaShape).GetMethod("Create", System.Reflection.BindingFlags.Static | System.Reflection.BindingFlags.NonPublic)!.Invoke(null, [View(parts.Normal).Schema])!;
        var shape = pipeline.GetOutputSchema(input);
        using var model = pipeline.Fit(View(parts.Normal));
        var fitted = model.GetOutputSchema(View(parts.Normal).Schema);
        shape.Select(column => column.Name).Should().BeEquivalentTo(fitted.Select(column => column.Name).Distinct());
        fitted.Select(column => column.Name).Should().Contain(["S", "P", "M"]);
    }

    private static Tensor Bank(KagPromptTransformer model) => model.Model.Classes.Single().Value.Reference.Value.Tensors["bank.0"];

    private EstimatorChain<KagPromptTransformer> Pipeline(KagPromptOptions options)
        => ml.Transforms.LoadImages("Image", "", "ImagePath").Append(ml.Transforms.DetectAnomaliesKag("Image", options with { Device = "cpu" }));

    private IDataView View(string[] paths, Func<int, bool>? flag = null) => Rows(paths, flag ?? (_ => false));

    private IDataView Rows(string[] paths, Func<int, bool> flag)
        => ml.Data.LoadFromEnumerable(paths.Select((path, i) => new PartRow { ImagePath = path, Flag = flag(i), Label = flag(i) ? 1 : 0 }).ToArray());

    private static string[] Bits(IDataView scored) => [.. scored.GetColumn<float>("Score").Zip(scored.GetColumn<float[]>("AnomalyMap"),
        (score, map) => $"{BitConverter.SingleToUInt32Bits(score):x8} {Convert.ToHexString(SHA256.HashData(MemoryMarshal.AsBytes<float>(map)))}")];

    private static string[] FreshProcess(params string[] arguments)
    {
        var assembly = typeof(DetectAnomaliesKagTests).Assembly.Location.Replace("Microsoft.ML.KagPrompt.Tests", "Microsoft.ML.KagPrompt.FreshProcess", StringComparison.Ordinal);
        using var process = Process.Start(new ProcessStartInfo("dotnet", ["exec", assembly, .. arguments]) { RedirectStandardOutput = true })!;
        var lines = process.StandardOutput.ReadToEnd().Split(['\n', '\r'], StringSplitOptions.RemoveEmptyEntries);
        process.WaitForExit();
        process.ExitCode.Should().Be(0);
        return lines;
    }
}
