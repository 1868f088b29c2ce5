using System.IO.Compression;
using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Tests;

/// <summary>Every wrong input says what, expected, got and remedy, and leaves nothing behind.</summary>
public sealed class BadInputTests(PartFolder parts, BadInputTests.SavedPart saved) : IClassFixture<PartFolder>, IClassFixture<BadInputTests.SavedPart>
{
    private static readonly KagPromptOptions Small = new() { Training = new() { Epochs = 0 }, Images = new() { Size = 112 } };

    private readonly MLContext ml = new(seed: 1);

    [Fact]
    public void Options_SeveralOutOfRange_AreAllNamedInOneMessage()
        => FluentActions.Invoking(() => ml.Transforms.DetectAnomaliesKag(new KagPromptOptions { Training = new() { Epochs = -1 }, Fusion = new() { Gamma = 2, TopK = 0 }, Device = "gpu", Columns = new() { Score = "AnomalyMap", NormalLabel = "good" } }))
            .Should().Throw<ArgumentException>().WithMessage("*6 invalid*NormalLabel*Columns.Label*good*different names*Device*gpu*Fusion.Gamma*0 to 1*Fusion.TopK*Training.Epochs*-1*");

    [Fact]
    public void Fit_MissingImageColumn_NamesOptionAndColumns()
        => FluentActions.Invoking(() => ml.Transforms.DetectAnomaliesKag("Picture").Fit(View(parts.Normal)))
            .Should().Throw<ArgumentOutOfRangeException>().WithMessage("*'Picture'*Columns.Image*missing*'ImagePath'*LoadImages*");

    [Fact]
    public void Fit_WrongColumnType_NamesExpectedAndGot()
        => FluentActions.Invoking(() => ml.Transforms.DetectAnomaliesKag("ImagePath").Fit(View(parts.Normal)))
            .Should().Throw<ArgumentOutOfRangeException>().WithMessage("*'ImagePath'*expected an image*String*LoadImages*");

    [Fact]
    public void Fit_WrongLabelType_NamesExpectedAndGot()
        => FluentActions.Invoking(() => Fit(parts.Normal, new KagPromptOptions { Training = new() { Epochs = 0 }, Columns = new() { Label = "Product" } }))
            .Should().Throw<ArgumentOutOfRangeException>().WithMessage("*'Product'*Columns.Label*Single*String*");

    [Fact]
    public void Fit_NoRows_SaysSo()
        => FluentActions.Invoking(() => Fit([], new KagPromptOptions { Training = new() { Epochs = 0 } })).Should().Throw<InsufficientDataException>().WithMessage("*at least one normal image*got 0*");

    [Fact]
    public void Fit_NoNormalRows_SaysSo()
        => FluentActions.Invoking(() => Fit(parts.Normal, new KagPromptOptions { Training = new() { Epochs = 0 }, Columns = new() { Label = "Label" } }, label: 1))
            .Should().Throw<InsufficientDataException>().WithMessage("*'object'*5 anomalous*no normal*Check the labels*");

    [Fact]
    public void Fit_NoFlaggedSupport_SaysSo()
        => FluentActions.Invoking(() => Fit(parts.Normal, new KagPromptOptions { Training = new() { Epochs = 0 }, Columns = new() { Support = "Flag" } }))
            .Should().Throw<InsufficientDataException>().WithMessage("*none of them flagged as support*");

    [Theory]
    [InlineData("text.png")]
    [InlineData("empty.png")]
    [InlineData("truncated.png")]
    [InlineData("huge.png")]
    [InlineData("nowhere.png")]
    public void Transform_UnreadableImage_NamesTheRow(string name)
    {
        WriteBroken(name);
        FluentActions.Invoking(() => saved.Model.Transform(View([parts.Queries[0], parts.Path(name)])).GetColumn<float>("Score").ToArray())
            .Should().Throw<ImageReadException>().WithMessage("Row 1, column 'Image'*");
    }

    [Fact]
    public void Transform_ImageOverTheLimit_NamesSizesAndOption()
    {
        using var model = Fit(parts.Normal, Small with { Images = Small.Images with { MaxPixels = 20_000 } });
        TestImages.Write(TestImages.Noise(200, 200, 1), parts.Path("large.png"));
        FluentActions.Invoking(() => model.Transform(View([parts.Path("large.png")])).GetColumn<float>("Score").ToArray())
            .Should().Throw<ImageReadException>().WithMessage("*20000*200 x 200*Images.MaxPixels*");
    }

    [Theory]
    [InlineData(0.1)]
    [InlineData(0.5)]
    [InlineData(0.9)]
    public void Load_TruncatedModelStream_IsRefused(double share)
    {
        var zip = SavedModel($"cut{share}.zip");
        Rewrite(zip, "KagPrompt.safetensors", bytes => bytes[..(int)(bytes.Length * share)]);
        FluentActions.Invoking(() => ml.Model.Load(zip, out _)).Should().Throw<Exception>().Which.Should().Match<Exception>(fault => Chain(fault).Any(inner => inner is ModelFormatException));
    }

    [Fact]
    public void Load_MissingModelStream_IsRefused()
    {
        var zip = SavedModel("missing.zip");
        using (var archive = ZipFile.Open(zip, ZipArchiveMode.Update))
        {
            archive.Entries.Single(entry => entry.FullName.EndsWith("KagPrompt.safetensors", StringComparison.Ordinal)).Delete();
        }

        FluentActions.Invoking(() => ml.Model.Load(zip, out _)).Should().Throw<Exception>().Which.Should().Match<Exception>(fault => Chain(fault).Any(inner => inner is ModelFormatException));
    }

    [Fact]
    public void Cancel_DuringFit_StopsIt()
    {
        using var source = new CancellationTokenSource();
        FluentActions.Invoking(() => Fit(parts.Normal, new KagPromptOptions { Backbone = new() { Name = "compact" }, Training = new() { Epochs = 1000, BatchSize = 2 }, Images = new() { Size = 56 }, Cancellation = source.Token, Progress = new Canceller(source) }))
            .Should().Throw<OperationCanceledException>();
    }

    private static IEnumerable<Exception> Chain(Exception? fault)
    {
        for (; fault is not null; fault = fault.InnerException)
        {
            yield return fault;
        }
    }

    private string SavedModel(string name)
    {
        File.Copy(saved.Zip, parts.Path(name));
        return parts.Path(name);
    }

    private static void Rewrite(string zip, string entryName, Func<byte[], byte[]> change)
    {
        using var archive = ZipFile.Open(zip, ZipArchiveMode.Update);
        var entry = archive.Entries.Single(candidate => candidate.FullName.EndsWith(entryName, StringComparison.Ordinal));
        using var content = new MemoryStream();
        using (var stream = entry.Open())
        {
            stream.CopyTo(content);
        }

        var name = entry.FullName;
        entry.Delete();
        using var target = archive.CreateEntry(name).Open();
        target.Write(change(content.ToArray()));
    }

    private void WriteBroken(string name)
    {
        var whole = File.ReadAllBytes(parts.Queries[0]);
        switch (name)
        {
            case "text.png":
                File.WriteAllText(parts.Path(name), "not an image");
                break;
            case "empty.png":
                File.WriteAllBytes(parts.Path(name), []);
                break;
            case "truncated.png":
                File.WriteAllBytes(parts.Path(name), whole[..40]);
                break;
            case "huge.png":
                // A valid header that promises 20,000 × 20,000 pixels, and nothing after it.
                var header = whole[..33];
                (header[18], header[19], header[22], header[23]) = (0x4e, 0x20, 0x4e, 0x20);
                File.WriteAllBytes(parts.Path(name), header);
                break;
        }
    }

    private TransformerChain<KagPromptTransformer> Fit(string[] paths, KagPromptOptions options, float label = 0)
        => Fit(ml, View(paths, label), options);

    private static TransformerChain<KagPromptTransformer> Fit(MLContext ml, IDataView view, KagPromptOptions options)
        => ml.Transforms.LoadImages("Image", "", "ImagePath").Append(ml.Transforms.DetectAnomaliesKag("Image", options with { Device = "cpu" })).Fit(view);

    private IDataView View(string[] paths, float label = 0) => View(ml, paths, label);

    private static IDataView View(MLContext ml, string[] paths, float label = 0)
        => ml.Data.LoadFromEnumerable(paths.Select(path => new PartRow { ImagePath = path, Label = label }).ToArray());

    /// <summary>One sound model that no test changes, and its file.</summary>
    public sealed class SavedPart : IDisposable
    {
        private readonly PartFolder parts = new();

        public SavedPart()
        {
            var ml = new MLContext(seed: 1);
            Model = Fit(ml, View(ml, parts.Normal), Small);
            ml.Model.Save(Model, View(ml, parts.Normal).Schema, Zip);
        }

        public TransformerChain<KagPromptTransformer> Model { get; }

        public string Zip => parts.Path("sound.zip");

        public void Dispose()
        {
            Model.Dispose();
            parts.Dispose();
        }
    }

    private sealed class Canceller(CancellationTokenSource source) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value)
        {
            if (value.Phase == "training")
            {
                source.Cancel();
            }
        }
    }
}
