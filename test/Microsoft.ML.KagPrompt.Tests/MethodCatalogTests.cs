using Microsoft.ML.Data;

namespace Microsoft.ML.KagPrompt.Tests;

/// <summary>Other methods through ML.NET: the same columns, zips and prediction engines as KAG-prompt.</summary>
public sealed class MethodCatalogTests(PartFolder parts) : IClassFixture<PartFolder>
{
    private static readonly KagPromptOptions Small = new() { Images = new() { Size = 112 },
        Columns = new() { ClassName = nameof(PartRow.Product) } };

    private readonly MLContext ml = new(seed: 1);

    /// <summary>Each method's estimator. A new one is a row.</summary>
    public static TheoryData<string> Methods => ["patchcore", "spade", "anomalygpt", "anomalydino", "subspacead", "rad"];

    [Theory]
    [MemberData(nameof(Methods))]
    public void Fit_TwoClasses_SurvivesSaveAndLoadAndAPredictionEngine(string method)
    {
        var rows = View(parts.Normal, i => i % 2 == 0 ? "even" : "odd");
        using var model = Pipeline(Estimator(method, Small)).Fit(rows);
        var fitted = KagPromptTransformer.FindIn(model);
        fitted.Model.ClassNames.Should().BeEquivalentTo("even", "odd");
        InspectionMethods.NameOf(fitted.Model.Options.Method).Should().Be(method);
        var queries = View(parts.Queries, _ => "odd");
        var scores = model.Transform(queries).GetColumn<float>("Score").ToArray();
        scores[3..].Min().Should().BeGreaterThan(scores[..3].Max(), "the bar is plain to see");
        var zip = parts.Path($"{method}.zip");
        ml.Model.Save(model, rows.Schema, zip);
        var again = ml.Model.Load(zip, out _);
        using var owned = again as IDisposable;
        again.Transform(queries).GetColumn<float>("Score").Should().Equal(scores, "the zip holds the method and its banks");
        using var engine = ml.Model.CreatePredictionEngine<PartRow,
            PartVerdict>(again, new PredictionEngineOptions { OwnsTransformer = false });
        engine.Predict(new PartRow { ImagePath = parts.Queries[3], Product = "odd" }).Score.Should()
            .BeApproximately(scores[3], 1e-4f * Math.Abs(scores[3]));
        KagPromptTransformer.FindIn(again).Options.Method.Should().BeOfType(fitted.Options.Method!.GetType());
    }

    [Fact]
    public void Options_OfKagPromptBesideAnotherMethod_AreRefused()
    {
        FluentActions.Invoking(() => ml.Transforms.DetectAnomaliesPatchCore(options: new() { Training = new() { Epochs = 1 } })).Should()
            .Throw<ArgumentException>().WithMessage("*Method*Training*patchcore*");
        FluentActions.Invoking(() => ml.Transforms.DetectAnomaliesPatchCore(options: new() { Method = new SpadeOptions() })).Should()
            .Throw<ArgumentException>().WithMessage("*'patchcore'*'spade'*");
        FluentActions.Invoking(() => ml.Transforms.DetectAnomaliesKag(new KagPromptOptions { Method = new KagOptions() })).Should()
            .Throw<ArgumentException>().WithMessage("*Method*null for KAG-prompt*");
        FluentActions.Invoking(() => ml.Transforms.DetectAnomaliesSpade(method: new() { Neighbours = 0 })).Should()
            .Throw<ArgumentException>().WithMessage("*Neighbours*1 to 1000*");
    }

    [Fact]
    public void Estimators_ByColumnNames_ReadThem()
    {
        KagPromptEstimator[] estimators =
        [
            ml.Transforms.DetectAnomaliesPatchCore("Image", classNameColumnName: nameof(PartRow.Product)),
            ml.Transforms.DetectAnomaliesSpade("Image", classNameColumnName: nameof(PartRow.Product)),
            ml.Transforms.DetectAnomaliesAnomalyGpt("Image", classNameColumnName: nameof(PartRow.Product)),
            ml.Transforms.DetectAnomaliesAnomalyDino("Image", classNameColumnName: nameof(PartRow.Product)),
            ml.Transforms.DetectAnomaliesSubspace("Image", classNameColumnName: nameof(PartRow.Product)),
            ml.Transforms.DetectAnomaliesRad("Image", classNameColumnName: nameof(PartRow.Product)),
        ];
        foreach (var estimator in estimators)
        {
            using var model = Pipeline(estimator).Fit(View([parts.Normal[0]], _ => "part"));
            KagPromptTransformer.FindIn(model).Model.ClassNames.Should().Equal("part");
        }
    }

    private KagPromptEstimator Estimator(string method, KagPromptOptions options) => method switch
    {
        "patchcore" => ml.Transforms.DetectAnomaliesPatchCore(options: options),
        "spade" => ml.Transforms.DetectAnomaliesSpade(options: options),
        "anomalygpt" => ml.Transforms.DetectAnomaliesAnomalyGpt(options: options),
        "anomalydino" => ml.Transforms.DetectAnomaliesAnomalyDino(options: options),
        "subspacead" => ml.Transforms.DetectAnomaliesSubspace(options: options),
        "rad" => ml.Transforms.DetectAnomaliesRad(options: options),
        _ => throw new ArgumentException(method),
    };

    private EstimatorChain<KagPromptTransformer> Pipeline(KagPromptEstimator estimator)
        => ml.Transforms.LoadImages("Image", "", "ImagePath").Append(estimator);

    private IDataView View(string[] paths, Func<int, string> product)
        => ml.Data.LoadFromEnumerable(paths.Select((path, i) => new PartRow { ImagePath = path, Product = product(i) }).ToArray());
}
