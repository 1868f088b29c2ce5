using System.Collections;
using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Methods;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Tests.Model;

/// <summary>A model in use: one image or many, from files, on other threads, and disposed meanwhile.</summary>
public sealed class KagPromptModelTests : IDisposable
{
    private const int More = FeatureEncoder.OnProcessor + 2;

    private readonly string folder = Directory.CreateTempSubdirectory("kagprompt-model-").FullName;

    [Fact]
    public async Task Inspect_OneImageOrManyOrAsynchronously_GivesTheSame()
    {
        using var model = Fit("object");
        var images = Images(More);
        var many = model.Inspect(images, new string?[More]);
        var later = await model.InspectAsync(images, new string?[More]);
        later.Select(result => result.Score).Should().Equal(many.Select(result => result.Score));
        later[^1].Map.Should().Equal(many[^1].Map);
        var one = model.Inspect(images[3], atImageSize: true);
        one.Score.Should().BeApproximately(many[3].Score, 1e-5f);
        (one.Width, one.Height).Should().Be((images[3].Width, images[3].Height));
    }

    [Fact]
    public async Task InspectAsync_Cancelled_EndsBetweenForwards()
    {
        using var model = Fit("object");
        using var source = new CancellationTokenSource();
        var images = new Watched(Images(More), onFirst: source.Cancel);
        await FluentActions.Awaiting(() => model.InspectAsync(images, new string?[More], cancellationToken: source.Token)).Should()
            .ThrowAsync<OperationCanceledException>();
        images.Most.Should().Be(FeatureEncoder.OnProcessor - 1, "no image of the second forward was touched");
        model.Inspect(images[0]).Score.Should().Be(model.Inspect(images[0]).Score, "the model goes on");
        Action wrong = () => model.InspectAsync(images, ["nonsense"]);
        wrong.Should().Throw<ArgumentException>("at once, not of the task");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Dispose_DuringAnInspection_EndsItWithObjectDisposed(bool isAsynchronous)
    {
        var model = Fit("object");
        var images = new Watched(Images(More), onFirst: model.Dispose);
        var classNames = new string?[More];
        await FluentActions.Awaiting(() => isAsynchronous ? model.InspectAsync(images, classNames)
            : Task.Run(() => model.Inspect(images, classNames)))
            .Should().ThrowAsync<ObjectDisposedException>();
        images.Most.Should().Be(FeatureEncoder.OnProcessor - 1, "the forward under way ended in peace");
        FluentActions.Invoking(() => model.Save(Stream.Null)).Should().Throw<ObjectDisposedException>();
        FluentActions.Invoking(() => model.WithThreshold(1)).Should().Throw<ObjectDisposedException>();
    }

    [Fact]
    public void Dispose_OfOneOfTwoSharingWeights_LeavesTheOther()
    {
        var model = Fit("object");
        using var moved = model.WithThreshold(-1);
        var image = Images(1)[0];
        var expected = model.Inspect(image).Score;
        model.Dispose();
        moved.Inspect(image).Should().Match<Inspection>(result => result.Score == expected && result.IsAnomalous);
    }

    [Fact]
    public void SaveAndLoad_Path_ScoresTheSameAndReplacesWhole()
    {
        using var model = Fit("object");
        var path = Path.Combine(folder, "new", "part.kag");
        model.Save(path);
        using (var again = KagPromptModel.Load(path, "cpu"))
        {
            again.Inspect(Images(1)[0]).Map.Should().Equal(model.Inspect(Images(1)[0]).Map);
        }

        var whole = File.ReadAllBytes(path);
        using var disposed = model.WithThreshold(1);
        disposed.Dispose();
        FluentActions.Invoking(() => disposed.Save(path)).Should().Throw<ObjectDisposedException>();
        File.ReadAllBytes(path).Should().Equal(whole, "a failed save leaves what was there");
        Directory.GetFiles(Path.GetDirectoryName(path)!).Should().ContainSingle("nothing unfinished stays");

        File.WriteAllBytes(path, "PK\u0003\u0004"u8.ToArray());
        FluentActions.Invoking(() => KagPromptModel.Load(path)).Should().Throw<ModelFormatException>()
            .WithMessage("*part.kag*zip*whole pipeline*");
    }

    [Fact]
    public void WhatIsHandedOut_Changed_ChangesNothingInTheModel()
    {
        var taps = new List<int> { 1, 2, 3, 4 };
        var scores = new[] { 1f, 2f };
        var calibration = new ThresholdCalibration { Method = "a test", Threshold = 1, MapThreshold = 1, Scale = 1, SupportImages = 2,
            NormalScores = scores };
        scores[0] = 9;
        calibration.NormalScores.Should().Equal(1, 2);
        (calibration.NormalScores is float[]).Should().BeFalse("a cast must not open it");
        var own = new BackboneOptions { Taps = taps };
        taps[0] = 9;
        own.Taps.Should().Equal(1, 2, 3, 4);

        using var model = Fit("object");
        var image = Images(1)[0];
        var first = model.Inspect(image);
        var score = first.Map.Max();
        Array.Clear(first.Map);
        model.Inspect(image).Map.Max().Should().Be(score);
    }

    [Fact]
    public void Fit_NothingNormal_SpeaksOfImagesNotOfColumns()
        => FluentActions.Invoking(() => KagPromptTrainer.Fit([new TrainingImage { Image = Images(1)[0], IsAnomalous = true }], Small))
            .Should().Throw<InsufficientDataException>()
            .Which.Message.Should().Contain("Check the labels").And.NotContain("column").And.NotContain("row");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static FitChoices Small => new() { Epochs = 0, ImageSize = 56, Device = "cpu" };

    private static KagPromptModel Fit(string className)
        => KagPromptTrainer.Fit(Enumerable.Range(0, 3)
            .Select(i => new TrainingImage { Image = TestImages.Part(60 + i, 50, i), ClassName = className }), Small);

    private static PixelBuffer[] Images(int count)
        => [.. Enumerable.Range(0, count).Select(i => TestImages.Part(60 + i, 50, 50 + i, defective: i % 2 == 0))];

    /// <summary>Images that tell how far they were read, and do something when the first is.</summary>
    private sealed class Watched(PixelBuffer[] images, Action onFirst) : IReadOnlyList<PixelBuffer>
    {
        public int Most { get; private set; } = -1;

        public int Count => images.Length;

        public PixelBuffer this[int index]
        {
            get
            {
                if (Most < 0)
                {
                    Most = 0;
                    onFirst();
                }

                Most = Math.Max(Most, index);
                return images[index];
            }
        }

        public IEnumerator<PixelBuffer> GetEnumerator() => ((IEnumerable<PixelBuffer>)images).GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
