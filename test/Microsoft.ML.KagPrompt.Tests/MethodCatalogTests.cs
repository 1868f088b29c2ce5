using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Tests;

/// <summary>Every method through ML.NET: the same columns, zips, prediction engines and refusals.</summary>
public sealed class MethodCatalogTests(MethodCatalogTests.Fitted fitted) : IClassFixture<MethodCatalogTests.Fitted>
{
    private readonly MLContext ml = new(seed: 1);
    private readonly PartFolder parts = fitted.Parts;

    /// <summary>Each method's estimator. A new one is a row.</summary>
    public static TheoryData<string> Methods =>
        ["kag", "patchcore", "spade", "winclip", "aprilgan", "anomalygpt", "anomalydino", "subspacead", "rad", "promptad"];

    [Fact]
    public void Methods_NameEveryOne() => Methods.Cast<object[]>().Select(row => row[0]).Should()
        .BeEquivalentTo(InspectionMethods.Names, "a method without a row is not tested here");

    [Theory]
    [MemberData(nameof(Methods))]
    public void Fit_TwoClasses_SurvivesSaveAndLoadAndAPredictionEngine(string method)
    {
        var (model, zip) = fitted.Model(method);
        var transformer = KagPromptTransformer.FindIn(model);
        transformer.Model.ClassNames.Should().BeEquivalentTo("even", "odd");
        InspectionMethods.NameOf(transformer.Model.Options.Method).Should().Be(method);
        var queries = fitted.View(parts.Queries, _ => "odd");
        var scores = Scores(model, queries);
        scores.Should().OnlyContain(score => float.IsFinite(score)).And.OnlyHaveUniqueItems();
        if (!Fitted.IsOfRandomWeights(method))
        {
            scores[3..].Min().Should().BeGreaterThan(scores[..3].Max(), "the bar is plain to see");
        }

        var again = ml.Model.Load(zip, out _);
        using var owned = again as IDisposable;
        Scores(again, queries).Should().Equal(scores, "the zip holds the method and its banks");
        using var engine = ml.Model.CreatePredictionEngine<PartRow,
            PartVerdict>(again, new PredictionEngineOptions { OwnsTransformer = false });
        engine.Predict(new PartRow { ImagePath = parts.Queries[3], Product = "odd" }).Score.Should()
            .BeApproximately(scores[3], 1e-4f * Math.Abs(scores[3]));
        KagPromptTransformer.FindIn(again).Options.Method?.GetType().Should().Be(transformer.Options.Method?.GetType());
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void WithSupport_OfAThirdClass_LeavesTheOthersAndKnowsIt(string method)
    {
        var model = fitted.Model(method).Model;
        var queries = fitted.View(parts.Queries, _ => "odd");
        using var adapted = KagPromptTransformer.FindIn(model).WithSupport(fitted.Images(fitted.View([parts.Queries[3]], _ => "barred")));
        adapted.Model.ClassNames.Should().BeEquivalentTo("even", "odd", "barred");
        var odd = Scores(adapted, fitted.Images(queries));
        odd.Should().Equal(Scores(model, queries));
        Scores(adapted, fitted.Images(fitted.View(parts.Queries, _ => "barred")))[3].Should().BeLessThan(odd[3], "it is its own support");
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void Transform_AnImageThatEndsEarly_NamesTheRow(string method)
    {
        File.WriteAllBytes(parts.Path("cut.png"), File.ReadAllBytes(parts.Queries[0])[..40]);
        var rows = fitted.View([parts.Queries[0], parts.Path("cut.png")], _ => "odd");
        FluentActions.Invoking(() => Scores(fitted.Model(method).Model, rows)).Should().Throw<ImageReadException>()
            .WithMessage("Row 1, column 'Image'*");
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void Load_AModelThatEndsEarly_IsRefused(string method)
    {
        var cut = parts.Path($"{method}-cut.zip");
        File.WriteAllBytes(cut, ModelZip.With(File.ReadAllBytes(fitted.Model(method).Zip), "KagPrompt.safetensors",
            bytes => bytes[..(int)(0.9 * bytes.Length)]));
        var fault = FluentActions.Invoking(() => ml.Model.Load(cut, out _)).Should().Throw<Exception>().Which;
        while (fault is not ModelFormatException && fault.InnerException is { } inner)
        {
            fault = inner;
        }

        fault.Should().BeOfType<ModelFormatException>();
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

    /// <summary>The calls that name columns, of the label, the class and the support.</summary>
    private IEnumerable<Func<string?, string?, string?, KagPromptEstimator>> ByColumnNames =>
    [
        (label, name, support) => ml.Transforms.DetectAnomaliesPatchCore("Image", label, name, support),
        (label, name, support) => ml.Transforms.DetectAnomaliesSpade("Image", label, name, support),
        (label, name, support) => ml.Transforms.DetectAnomaliesWinClip("Image", label, name, support),
        (label, name, support) => ml.Transforms.DetectAnomaliesAprilGan("Image", label, name, support),
        (label, name, support) => ml.Transforms.DetectAnomaliesAnomalyGpt("Image", label, name, support),
        (label, name, support) => ml.Transforms.DetectAnomaliesAnomalyDino("Image", label, name, support),
        (label, name, support) => ml.Transforms.DetectAnomaliesSubspace("Image", label, name, support),
        (label, name, support) => ml.Transforms.DetectAnomaliesRad("Image", label, name, support),
        (label, name, support) => ml.Transforms.DetectAnomaliesPromptAd("Image", label, name, support),
    ];

    [Fact]
    public void Estimators_ByColumnNames_LookForThem()
    {
        void ShouldMiss(KagPromptEstimator estimator, string option) => FluentActions
            .Invoking(() => Pipeline(estimator).Fit(fitted.View([parts.Normal[0]], _ => "part"))).Should()
            .Throw<ArgumentOutOfRangeException>().WithMessage($"*'Absent'*{option}*");
        foreach (var create in ByColumnNames)
        {
            ShouldMiss(create("Absent", null, null), "Columns.Label");
            ShouldMiss(create(null, "Absent", null), "Columns.ClassName");
            ShouldMiss(create(null, null, "Absent"), "Columns.Support");
        }
    }

    [Fact]
    public void Estimators_ByColumnNames_TakeTheBackboneThatIsNamed()
    {
        var rows = fitted.View([parts.Normal[0]], _ => "part");
        using var words = Pipeline(ml.Transforms.DetectAnomaliesWinClip("Image", classNameColumnName: nameof(PartRow.Product),
            backboneName: parts.Path("clip.safetensors"))).Fit(rows);
        KagPromptTransformer.FindIn(words).Model.ClassNames.Should().Equal("part");
        FluentActions.Invoking(() => Pipeline(ml.Transforms.DetectAnomaliesAprilGan("Image", backboneName: "nowhere")).Fit(rows))
            .Should().Throw<ArgumentException>().WithMessage("*'nowhere'*");
    }

    private static float[] Scores(ITransformer model, IDataView rows) => [.. model.Transform(rows).GetColumn<float>("Score")];

    private EstimatorChain<KagPromptTransformer> Pipeline(KagPromptEstimator estimator)
        => ml.Transforms.LoadImages("Image", "", "ImagePath").Append(estimator);

    /// <summary>A model of two classes a method, and its zip, made when first asked for; no test changes them.</summary>
    public sealed class Fitted : IDisposable
    {
        private readonly Dictionary<string, (TransformerChain<KagPromptTransformer>, string)> models = [];
        private readonly MLContext ml = new(seed: 1);

        public Fitted()
        {
            TinyBackbones.WriteSafetensors(Parts.Path("clip.safetensors"), TinyBackbones.Clip(1));
            TinyBackbones.WriteVocabulary(Parts.Root);
        }

        public PartFolder Parts { get; } = new();

        /// <summary>Whether they were neither published nor trained to the end, and tell no defect.</summary>
        public static bool IsOfRandomWeights(string method) => method is "winclip" or "aprilgan" or "promptad";

        public (TransformerChain<KagPromptTransformer> Model, string Zip) Model(string method)
        {
            if (!models.TryGetValue(method, out var known))
            {
                var rows = View(Parts.Normal, i => i % 2 == 0 ? "even" : "odd");
                var model = ml.Transforms.LoadImages("Image", "", "ImagePath").Append(Estimator(method)).Fit(rows);
                ml.Model.Save(model, rows.Schema, Parts.Path($"{method}.zip"));
                models.Add(method, known = (model, Parts.Path($"{method}.zip")));
            }

            return known;
        }

        public IDataView View(string[] paths, Func<int, string> product)
            => ml.Data.LoadFromEnumerable(paths.Select((path, i) => new PartRow { ImagePath = path, Product = product(i) }).ToArray());

        /// <summary>The rows with their images.</summary>
        public IDataView Images(IDataView rows) => ml.Transforms.LoadImages("Image", "", "ImagePath").Fit(rows).Transform(rows);

        public void Dispose()
        {
            foreach (var (model, _) in models.Values)
            {
                model.Dispose();
            }

            Parts.Dispose();
        }

        private KagPromptEstimator Estimator(string method) => method switch
        {
            "kag" => ml.Transforms.DetectAnomaliesKag(On("resnet18", 112)),
            "patchcore" => ml.Transforms.DetectAnomaliesPatchCore(options: On("resnet18", 112)),
            "spade" => ml.Transforms.DetectAnomaliesSpade(options: On("resnet18", 112)),
            "winclip" => ml.Transforms.DetectAnomaliesWinClip(options: On(Parts.Path("clip.safetensors"), 56)),
            "aprilgan" => ml.Transforms.DetectAnomaliesAprilGan("Image", new() { Training = new() { Epochs = 1 } }, On("compact", 56)),
            "anomalygpt" => ml.Transforms.DetectAnomaliesAnomalyGpt(options: On("resnet18", 112)),
            "anomalydino" => ml.Transforms.DetectAnomaliesAnomalyDino(options: On("resnet18", 112)),
            "subspacead" => ml.Transforms.DetectAnomaliesSubspace(options: On("resnet18", 112)),
            "rad" => ml.Transforms.DetectAnomaliesRad(options: On("resnet18", 112)),
            "promptad" => ml.Transforms.DetectAnomaliesPromptAd("Image", new() { Epochs = 1 }, On(Parts.Path("clip.safetensors"), 56)),
            _ => throw new ArgumentException(method),
        };

        private static KagPromptOptions On(string backbone, int side) => new()
        {
            Backbone = new() { Name = backbone }, Images = new() { Size = side }, Device = "cpu",
            Columns = new() { ClassName = nameof(PartRow.Product) },
        };
    }
}
