using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Metrics;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Tests;

/// <summary>From a data set's folder to metrics, as a user writes it.</summary>
public sealed class EvaluationTests : IDisposable
{
    private const int Width = 90;
    private const int Height = 84;

    private readonly MLContext ml = new(seed: 1);
    private readonly string folder = Directory.CreateTempSubdirectory("kagprompt-evaluation-").FullName;

    [Theory]
    [InlineData(MapResolution.Model)]
    [InlineData(MapResolution.Image)]
    public void EvaluatePixels_ScoredDataset_FindsTheDefects(MapResolution resolution)
    {
        WriteDataset();
        var train = ml.Data.LoadAnomalyDataset(folder, split: DatasetSplit.Train);
        var test = ml.Data.LoadAnomalyDataset(folder, split: DatasetSplit.Test);
        test.GetColumn<float>("Label").Should().Equal(1, 1, 0, 0);
        test.GetColumn<string>("DefectType").Distinct().Should().Equal("bar", "good");
        using var model = ml.Transforms.LoadImages("Image", "", "ImagePath")
            .Append(ml.Transforms.DetectAnomaliesKag(new KagPromptOptions { Training = new() { Epochs = 0 }, Images = new() { Size = 112 }, Device = "cpu", Columns = new() { MapResolution = resolution } })).Fit(train);
        var scored = model.Transform(test);

        var images = ml.AnomalyDetection.EvaluateImages(scored, classNameColumnName: "ClassName");
        images.PerClass.Should().ContainKey(Path.GetFileName(folder));
        images.Mean.Auroc.Value.Should().Be(1);
        images.Warnings.Should().BeEmpty();
        var pixels = ml.AnomalyDetection.EvaluatePixels(scored);
        pixels.Mean.Auroc.Value.Should().BeGreaterThan(0.9);
        pixels.Mean.Aupro30.Value.Should().BeGreaterThan(0.6);
        pixels.Mean.Regions.Should().Be(2);

        // The same from the columns, all at once.
        var maps = scored.GetColumn<float[]>("AnomalyMap").ToArray();
        var masks = test.GetColumn<string>("MaskPath").Zip(maps, (path, map) => path.Length == 0 ? new bool[map.Length] : resolution == MapResolution.Model ? DefectMask.Read(path).At(112) : DefectMask.Read(path).Pixels);
        pixels.Mean.Auroc.Value.Should().BeApproximately(RocMetrics.Auroc([.. maps.SelectMany(map => map)], [.. masks.SelectMany(mask => mask)]), 1e-9);
    }

    [Fact]
    public void Evaluate_ClassesAndMissingThings_AreNamedInWarnings()
    {
        TestImages.Write(TestImages.Noise(2, 2, 1), In("mask.png"));
        var rows = ml.Data.LoadFromEnumerable(new[]
        {
            new ScoredRow { Product = "a", Score = 1, Label = 0 }, new ScoredRow { Product = "a", Score = 2, Label = 1, MaskPath = In("mask.png") },
            new ScoredRow { Product = "b", Score = 1, Label = 0 }, new ScoredRow { Product = "b", Score = 3, Label = float.NaN }, new ScoredRow { Product = "c", Score = 4, Label = 1 },
        });
        var images = ml.AnomalyDetection.EvaluateImages(rows, classNameColumnName: "Product");
        images.Mean.Auroc.Value.Should().Be(1, "only class a can be told");
        images.Warnings.Should().HaveCount(3).And.Contain(warning => warning.StartsWith("b: All 1 labelled", StringComparison.Ordinal)).And.Contain(warning => warning.StartsWith("b: 1 of 2", StringComparison.Ordinal));
        var pixels = ml.AnomalyDetection.EvaluatePixels(rows, classNameColumnName: "Product");
        pixels.Warnings.Should().Contain(warning => warning.StartsWith("c: 1 anomalous images have no mask", StringComparison.Ordinal));
        double.IsNaN(pixels.PerClass["b"].Auroc.Value).Should().BeTrue();
    }

    [Fact]
    public void Evaluate_WrongColumns_NamesThem()
    {
        var rows = ml.Data.LoadFromEnumerable([new ScoredRow()]);
        FluentActions.Invoking(() => ml.AnomalyDetection.EvaluateImages(rows, scoreColumnName: "Product")).Should().Throw<ArgumentOutOfRangeException>().WithMessage("*'Product'*Single*String*");
        FluentActions.Invoking(() => ml.AnomalyDetection.EvaluatePixels(rows, maskPathColumnName: "Truth")).Should().Throw<ArgumentOutOfRangeException>().WithMessage("*'Truth'*missing*");
    }

    [Fact]
    public void DefectMask_FolderOfMasks_IsTheirUnion()
    {
        Directory.CreateDirectory(In("several"));
        WriteMask("several/0.png", 4, 3, p => p == 1);
        WriteMask("several/1.png", 4, 3, p => p == 7);
        var mask = DefectMask.Read(In("several"));
        mask.Pixels.Select((isDefect, p) => (isDefect, p)).Where(pixel => pixel.isDefect).Select(pixel => pixel.p).Should().Equal(1, 7);
        mask.ShowsDefect.Should().BeTrue();
        WriteMask("several/2.png", 3, 3, _ => false);
        FluentActions.Invoking(() => DefectMask.Read(In("several"))).Should().Throw<ImageReadException>().WithMessage("*one size*4 x 3, 3 x 3*");
        FluentActions.Invoking(() => DefectMask.Read(In("absent.png"))).Should().Throw<ImageReadException>().WithMessage("*absent.png*");
    }

    [Fact]
    public void DefectMask_DimMarks_CountInLosslessFiles()
    {
        using (var image = MLImage.CreateFromPixels(2, 1, MLPixelFormat.Rgba32, [1, 1, 1, 255, 0, 0, 0, 255]))
        {
            image.Save(In("dim.png"));
        }

        DefectMask.Read(In("dim.png")).Pixels.Should().Equal(true, false);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string In(string name) => Path.Combine(folder, name);

    private void WriteDataset()
    {
        foreach (var part in (string[])["train/good", "test/good", "test/bar", "ground_truth/bar"])
        {
            Directory.CreateDirectory(In(part));
        }

        for (var i = 0; i < 4; i++)
        {
            TestImages.Write(TestImages.Part(Width, Height, i), In($"train/good/{i}.png"));
        }

        for (var i = 0; i < 2; i++)
        {
            var (sound, defective) = (TestImages.Part(Width, Height, 20 + i), TestImages.Part(Width, Height, 20 + i, defective: true));
            TestImages.Write(sound, In($"test/good/{i}.png"));
            TestImages.Write(defective, In($"test/bar/{i}.png"));
            WriteMask($"ground_truth/bar/{i}_mask.png", Width, Height, p => Enumerable.Range(0, 3).Any(c => sound.Rgb[(3 * p) + c] != defective.Rgb[(3 * p) + c]));
        }
    }

    private void WriteMask(string name, int width, int height, Func<int, bool> isDefect)
        => TestImages.Write(new PixelBuffer(width, height, [.. Enumerable.Range(0, width * height * 3).Select(k => (byte)(isDefect(k / 3) ? 255 : 0))]), In(name));

    private sealed class ScoredRow
    {
        public string Product { get; set; } = "";

        public float Score { get; set; }

        public float Label { get; set; }

        public string MaskPath { get; set; } = "";

        [VectorType(4)]
        public float[] AnomalyMap { get; set; } = [0.1f, 0.9f, 0.2f, 0.3f];
    }
}
