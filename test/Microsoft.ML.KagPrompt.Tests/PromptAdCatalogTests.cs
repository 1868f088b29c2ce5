using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Tests;

/// <summary>PromptAD through ML.NET, which needs another backbone than the embedded ones.</summary>
public sealed class PromptAdCatalogTests(PartFolder parts) : IClassFixture<PartFolder>
{
    private readonly MLContext ml = new(seed: 1);

    [Fact]
    public void Fit_OnATransformer_SurvivesSaveAndLoad()
    {
        TinyBackbones.WriteSafetensors(parts.Path("clip.safetensors"), TinyBackbones.Clip(1));
        TinyBackbones.WriteVocabulary(parts.Root);
        var options = new KagPromptOptions { Backbone = new() { Name = parts.Path("clip.safetensors") }, Images = new() { Size = 56 } };
        var rows = View(parts.Normal);
        using var model = Pipeline(ml.Transforms.DetectAnomaliesPromptAd(method: new() { Epochs = 2, MapPrompts = 2 }, options: options))
            .Fit(rows);
        var scores = model.Transform(View(parts.Queries)).GetColumn<float>("Score").ToArray();
        scores.Should().OnlyContain(score => score > 0 && score < 1);
        ml.Model.Save(model, rows.Schema, parts.Path("promptad.zip"));
        var again = ml.Model.Load(parts.Path("promptad.zip"), out _);
        using var owned = again as IDisposable;
        again.Transform(View(parts.Queries)).GetColumn<float>("Score").Should().Equal(scores);
        KagPromptTransformer.FindIn(again).Options.Method.Should().BeOfType<PromptAdOptions>().Which.MapPrompts.Should().Be(2);
    }

    [Fact]
    public void Fit_OnTheEmbeddedBackbone_NamesThoseThatCan()
        => FluentActions.Invoking(() => Pipeline(ml.Transforms.DetectAnomaliesPromptAd()).Fit(View(parts.Normal)))
            .Should().Throw<ArgumentException>().WithMessage("*promptad*'resnet18'*CLIP, OpenCLIP or ImageBind*");

    private EstimatorChain<KagPromptTransformer> Pipeline(KagPromptEstimator estimator)
        => ml.Transforms.LoadImages("Image", "", "ImagePath").Append(estimator);

    private IDataView View(string[] paths) => ml.Data.LoadFromEnumerable(paths.Select(path => new PartRow { ImagePath = path }).ToArray());
}
