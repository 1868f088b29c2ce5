using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Tests;

/// <summary>Which label is normal: by name, by option, or refused; never by the order of the rows.</summary>
public sealed class LabelsTests(PartFolder parts) : IClassFixture<PartFolder>
{
    private readonly MLContext ml = new(seed: 1);

    [Theory]
    [InlineData("good", "bad", null)]
    [InlineData("OK", "NOK", null)]
    [InlineData("Normal", " Anomaly", null)]
    [InlineData("pass", "fail", null)]
    [InlineData("0", "1", null)]
    [InlineData("False", "True", null)]
    [InlineData("gut", "kratzer", "Gut")]
    [InlineData("bad", "good", "bad")]
    public void Fit_KeyLabelWithTheDefectFirst_GoesByTheName(string normal, string defect, string? normalLabel)
    {
        using var model = Fit([.. Rows(defect, parts.Queries[3..]), .. Rows(normal, parts.Normal)], normalLabel);
        (model.LastTransformer.Calibration().AnomalousScores.Count, model.LastTransformer.Calibration().NormalScores.Count).Should()
            .Be((2, 5));
    }

    [Fact]
    public void Fit_KeyOfSeveralDefects_TakesAllButTheNormalLabelForDefects()
    {
        using var model = Fit([.. Rows("dent", parts.Queries[3..4]), .. Rows("good", parts.Normal), .. Rows("scratch", parts.Queries[4..])],
            "good");
        model.LastTransformer.Calibration().AnomalousScores.Should().HaveCount(2);
    }

    [Theory]
    [InlineData("good", "scratch", null, "*'Truth'*'scratch', 'good'*NormalLabel*")]
    [InlineData("A", "B", null, "*'B', 'A'*NormalLabel*")]
    [InlineData("A", "B", "C", "*NormalLabel 'C'*'B', 'A'*")]
    public void Fit_KeyLabelThatLeavesItOpen_IsRefused(string normal, string defect, string? normalLabel, string message)
        => FluentActions.Invoking(() => Fit([.. Rows(defect, parts.Queries[3..]), .. Rows(normal, parts.Normal)], normalLabel)).Should()
            .Throw<ArgumentException>().WithMessage(message);

    [Fact]
    public void Evaluate_KeyLabel_GoesByTheSameRule()
    {
        IDataView Keyed(string normal, string defect) => ml.Transforms.Conversion.MapValueToKey("Label", "Text").Fit(Scored(normal, defect))
            .Transform(Scored(normal, defect));
        ml.AnomalyDetection.EvaluateImages(Keyed("good", "bad")).Mean.Auroc.Value.Should().Be(1);
        ml.AnomalyDetection.EvaluateImages(Keyed("bad", "good"), normalLabel: "bad").Mean.Auroc.Value.Should().Be(1);
        ml.AnomalyDetection.EvaluatePixels(Keyed("good", "bad")).Warnings.Should()
            .Contain(warning => warning.Contains("1 anomalous images have no mask"));
        FluentActions.Invoking(() => ml.AnomalyDetection.EvaluateImages(Keyed("A", "B"))).Should().Throw<ArgumentException>()
            .WithMessage("*'Label'*NormalLabel*");
        FluentActions.Invoking(() => ml.AnomalyDetection.EvaluatePixels(Keyed("A", "B"))).Should().Throw<ArgumentException>()
            .WithMessage("*'Label'*NormalLabel*");
    }

    [Fact]
    public void Evaluate_NumbersAndFlags_FollowTheNormalLabelAndRefuseInfinity()
    {
        var rows = new[] { new Row { Score = 2, Number = -1, Flag = false }, new Row { Score = 1, Number = 1, Flag = true },
            new Row { Score = 3, Number = float.NaN, Flag = false } };
        var view = ml.Data.LoadFromEnumerable(rows);
        ml.AnomalyDetection.EvaluateImages(view, "Number").Mean.Auroc.Value.Should().Be(0, "above 0 is anomalous");
        ml.AnomalyDetection.EvaluateImages(view, "Number", normalLabel: "1").Mean.Auroc.Value.Should().Be(1);
        ml.AnomalyDetection.EvaluateImages(view, "Flag", normalLabel: "true").Mean.Auroc.Value.Should().Be(1);
        FluentActions.Invoking(() => ml.AnomalyDetection.EvaluateImages(view, "Number", normalLabel: "good")).Should()
            .Throw<ArgumentException>().WithMessage("*'Number'*'good'*number*");
        rows[2].Number = float.PositiveInfinity;
        FluentActions.Invoking(() => ml.AnomalyDetection.EvaluateImages(view, "Number")).Should().Throw<KagPromptException>()
            .WithMessage("Row 2, column 'Number'*NaN unknown*Infinity*");
    }

    [Fact]
    public void Evaluate_KeyWithoutNames_IsRefused()
    {
        var view = ml.Data.LoadFromEnumerable([new Row { Number = 0, Key = 1 }, new Row { Number = 1, Key = 2 }]);
        FluentActions.Invoking(() => ml.AnomalyDetection.EvaluateImages(view, "Key")).Should().Throw<ArgumentException>()
            .WithMessage("*'Key'*no names*MapValueToKey*");
    }

    private IDataView Scored(string normal, string defect)
        => ml.Data.LoadFromEnumerable([new Row { Score = 2, Text = defect }, new Row { Score = 1, Text = normal }]);

    private static Row[] Rows(string label, string[] paths) => [.. paths.Select(path => new Row { ImagePath = path, Text = label })];

    private TransformerChain<KagPromptTransformer> Fit(Row[] rows, string? normalLabel)
        => ml.Transforms.Conversion.MapValueToKey("Truth", "Text").Append(ml.Transforms.LoadImages("Image", "", "ImagePath"))
            .Append(ml.Transforms.DetectAnomaliesKag(new KagPromptOptions { Training = new() { Epochs = 0 }, Images = new() { Size = 56 }, Device = "cpu", Columns = new() { Label = "Truth", NormalLabel = normalLabel } }))
            .Fit(ml.Data.LoadFromEnumerable(rows));

    private sealed class Row
    {
        public string ImagePath { get; set; } = "";

        public string Text { get; set; } = "";

        public float Score { get; set; }

        public float Number { get; set; }

        public bool Flag { get; set; }

        [KeyType(2)]
        public uint Key { get; set; }

        public string MaskPath { get; set; } = "";

        [VectorType(4)]
        public float[] AnomalyMap { get; set; } = [0.1f, 0.9f, 0.2f, 0.3f];
    }
}
