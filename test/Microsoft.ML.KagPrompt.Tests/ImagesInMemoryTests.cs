using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.Transforms.Image;

namespace Microsoft.ML.KagPrompt.Tests;

/// <summary>Whose images are: the caller's stay usable, those made for a reading are disposed with it.</summary>
public sealed class ImagesInMemoryTests(PartFolder parts) : IClassFixture<PartFolder>
{
    private readonly MLContext ml = new(seed: 1);

    [Fact]
    public void FitAndTransform_CallersImages_StayUsableForAnyNumberOfPasses()
    {
        var rows = Held(parts.Normal);
        var view = ml.Data.LoadFromEnumerable(rows);
        using var model = Estimator().Fit(view);
        using var again = Estimator().Fit(view);
        var first = model.Transform(view).GetColumn<float>("Score").ToArray();
        model.Transform(view).GetColumn<float>("Score").Should().Equal(first);
        var shared = new PredictionEngineOptions { OwnsTransformer = false };
        using var engine = ml.Model.CreatePredictionEngine<HeldRow, PartVerdict>(model, shared);
        engine.Predict(rows[0]).Score.Should().BeApproximately(first[0], 1e-5f);
        engine.Predict(rows[0]).Score.Should().BeApproximately(first[0], 1e-5f);
        rows.Should().OnlyContain(row => row.Image!.Width > 0);
        rows[0].Image!.Dispose();
        FluentActions.Invoking(() => engine.Predict(rows[0])).Should().Throw<ImageReadException>()
            .WithMessage("Row *, column 'Image'*disposed*yours*");
    }

    [Fact]
    public void Transform_CallersImagesThroughResizeImages_AreNotDisposedWhereTheyPassThrough()
    {
        var rows = Held(parts.Normal);
        // Some of them have this size already, and ResizeImages hands on the object itself.
        var resize = ml.Transforms.ResizeImages("Image", 96, 90, "Image");
        var view = ml.Data.LoadFromEnumerable(rows);
        using var model = resize.Append(Estimator()).Fit(view);
        model.Transform(view).GetColumn<float>("Score").Should().HaveCount(rows.Length);
        rows[..^1].Should().OnlyContain(row => row.Image!.Width > 0, "only the last is disposed by ResizeImages itself, when it ends");
    }

    [Fact]
    public void Take_FreshImages_AreTheAskersAndDecodedTwiceOnceOnly()
    {
        var made = new List<MLImage>();
        var source = new ImageSource((ref MLImage value) => made.Add(value = New("file.png")));
        for (var i = 0; i < 3; i++)
        {
            var (image, isOurs) = source.Take();
            (image, isOurs).Should().Be((made[^1], true));
            image!.Dispose();
        }

        made.Should().HaveCount(4, "the first row is asked for twice, to see whether the object is kept");
        made.Should().OnlyContain(image => IsDisposed(image), "none is left over");
    }

    [Fact]
    public void Take_FreshImagesAndKeptOnesInTurn_TellsThemApart()
    {
        var (kept, row) = (New(null), 0);
        var source = new ImageSource((ref MLImage value) => value = row % 2 == 0 ? New(null) : kept);
        for (; row < 4; row++)
        {
            var (image, isOurs) = source.Take();
            isOurs.Should().Be(row % 2 == 0);
            ReferenceEquals(image, kept).Should().Be(row % 2 == 1);
        }

        IsDisposed(kept).Should().BeFalse();
        MLImage? none = null;
        new ImageSource((ref MLImage value) => value = none!).Take().Should().Be((null, false));
    }

    [Theory]
    [InlineData("text.png", true)]
    [InlineData("nowhere.png", true)]
    [InlineData("text.png", false)]
    public void Transform_UnreadableFile_IsNamedByItsPath(string name, bool isEngine)
    {
        File.WriteAllText(parts.Path("text.png"), "not an image");
        using var model = ml.Transforms.LoadImages("Image", "", "ImagePath").Append(Estimator()).Fit(Paths(parts.Normal));
        var path = parts.Path(name);
        FluentActions.Invoking(() =>
        {
            if (isEngine)
            {
                var shared = new PredictionEngineOptions { OwnsTransformer = false };
                using var engine = ml.Model.CreatePredictionEngine<PartRow, PartVerdict>(model, shared);
                return engine.Predict(new PartRow { ImagePath = path }).Score;
            }

            return model.Transform(Paths([path])).GetColumn<float>("Score").First();
        }).Should().Throw<ImageReadException>().WithMessage($"Row *, column 'Image' (ImagePath '{path}')*");
        FluentActions.Invoking(() => ml.Transforms.LoadImages("Image", "", "ImagePath").Append(Estimator())
            .Fit(Paths([.. parts.Normal, path]))).Should().Throw<ImageReadException>().WithMessage($"*'{path}'*");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(128)]
    [InlineData(255)]
    public void ToPixels_ColourAboveItsAlpha_IsWhatTheBytesSay(byte fourth)
    {
        using var image = MLImage.CreateFromPixels(2, 1, MLPixelFormat.Bgra32, [30, 10, 200, fourth, 7, 8, 9, fourth]);
        Rgb(image).Should().Equal(200, 10, 30, 9, 8, 7);
    }

    [Fact]
    public void ToPixels_MultipliedByAlpha_IsTheColourBeneath()
    {
        using var image = MLImage.CreateFromPixels(2, 1, MLPixelFormat.Rgba32, [100, 5, 15, 128, 7, 8, 9, 255]);
        Rgb(image).Should().Equal(199, 10, 30, 7, 8, 9);
    }

    private static byte[] Rgb(MLImage image) => ImageAdapter.ToPixels(image, 100, "here", ImageOrientation.Exif).Rgb.ToArray();

    private static MLImage New(string? file)
    {
        var image = MLImage.CreateFromPixels(1, 1, MLPixelFormat.Rgba32, [1, 2, 3, 255]);
        image.Tag = file;
        return image;
    }

    private static bool IsDisposed(MLImage image)
    {
        try
        {
            return image.Width == 0;
        }
        catch (InvalidOperationException)
        {
            return true;
        }
    }

    private KagPromptEstimator Estimator()
        => ml.Transforms.DetectAnomaliesKag(new KagPromptOptions { Training = new() { Epochs = 0 }, Images = new() { Size = 56 }, Device = "cpu", InferenceBatchSize = 2 });

    private static HeldRow[] Held(string[] paths) => [.. paths.Select(path => new HeldRow { Image = MLImage.CreateFromFile(path) })];

    private IDataView Paths(string[] paths) => ml.Data.LoadFromEnumerable(paths.Select(path => new PartRow { ImagePath = path }).ToArray());

    private sealed class HeldRow
    {
        [ImageType(90, 96)]
        public MLImage? Image { get; set; }
    }
}
