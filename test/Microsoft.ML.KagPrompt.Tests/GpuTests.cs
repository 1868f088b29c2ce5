using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Tests;

/// <summary>The pipeline as users write it, on a CUDA device: fit with a short training, Transform, save, load, prediction engine.</summary>
[Trait("Category", "Gpu")]
public sealed class GpuTests(PartFolder parts) : IClassFixture<PartFolder>
{
    [SkippableTheory]
    [InlineData("resnet18", 0)]
    [InlineData("compact", 2)]
    public void Fit_TransformSaveAndLoad_ScoreAlike(string backbone, int epochs)
    {
        GraphicsCard.Require();
        var ml = new MLContext(seed: 1);
        IDataView Rows(string[] files) => ml.Data.LoadFromEnumerable(files.Select(file => new PartRow { ImagePath = file }).ToArray());
        var options = new KagPromptOptions
        {
            Backbone = new() { Name = backbone },
            Training = new() { Epochs = epochs },
            Device = GraphicsCard.Name,
        };
        var pipeline = ml.Transforms.LoadImages("Image", "", nameof(PartRow.ImagePath)).Append(ml.Transforms.DetectAnomaliesKag("Image", options));
        using var model = pipeline.Fit(Rows(parts.Normal));
        var scored = model.Transform(Rows(parts.Queries));
        var scores = scored.GetColumn<float>("Score").ToArray();
        var maps = scored.GetColumn<VBuffer<float>>("AnomalyMap").Select(map => map.DenseValues().ToArray()).ToArray();
        scores.Should().HaveCount(5).And.OnlyContain(score => float.IsFinite(score));
        scores[3..].Min().Should().BeGreaterThan(scores[..3].Max(), "three good, then two defective");
        maps.Should().OnlyContain(map => map.Length > 0 && Array.TrueForAll(map, float.IsFinite));

        using var zip = new MemoryStream();
        ml.Model.Save(model, Rows(parts.Normal).Schema, zip);
        zip.Position = 0;
        var again = new MLContext().Model.Load(zip, out _);
        using var owned = (IDisposable)again;
        again.Transform(Rows(parts.Queries)).GetColumn<float>("Score").Should().Equal(scores, (a, b) => Math.Abs(a - b) < 1e-4f);
        using var engine = ml.Model.CreatePredictionEngine<PartRow, PartVerdict>(again, new PredictionEngineOptions { OwnsTransformer = false });
        for (var i = 0; i < scores.Length; i++)
        {
            var verdict = engine.Predict(new PartRow { ImagePath = parts.Queries[i] });
            verdict.Score.Should().BeApproximately(scores[i], 5e-3f, "one image or five at once");
        }
    }
}
