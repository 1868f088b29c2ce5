using System.Diagnostics;
using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt.Tests;

/// <summary>A fitted transformer without a view: classes, single images, files, and a program without the native library.</summary>
public sealed class KagPromptTransformerTests(PartFolder parts) : IClassFixture<PartFolder>
{
    private readonly MLContext ml = new(seed: 1);

    [Fact]
    public void DetectAnomaliesKag_ColumnNames_AreTheOptions()
    {
        var rows = Rows(["washer", "ring"]);
        using var named = ml.Transforms.DetectAnomaliesKag("Image", classNameColumnName: "Product", epochs: 0).Fit(rows);
        var expected = new KagPromptOptions { Columns = new() { ClassName = "Product" }, Training = new() { Epochs = 0 } };
        named.Options.Should().BeEquivalentTo(expected, options => options.Excluding(option => option.Seed));
        named.Model.ClassNames.Should().BeEquivalentTo("washer", "ring");
        // These mean the overload with options, and compile.
        ml.Transforms.DetectAnomaliesKag().Should().NotBeNull();
        ml.Transforms.DetectAnomaliesKag("Image", null).Should().NotBeNull();
        ml.Transforms.DetectAnomaliesKag("Image", "Label").Should().NotBeNull();
    }

    [Fact]
    public void Calibration_NoneOrUnknownOfTwoClasses_NamesTheClasses()
    {
        using var model = Fit(["washer", "ring"]);
        model.Calibration("ring").SupportImages.Should().Be(2);
        FluentActions.Invoking(() => model.Calibration()).Should().Throw<ArgumentException>().WithMessage("*className*'ring', 'washer'*");
        FluentActions.Invoking(() => model.Calibration("bolt")).Should().Throw<ArgumentException>()
            .WithMessage("*'bolt'*'ring', 'washer'*");
        FluentActions.Invoking(() => model.Inspect(parts.Queries[0])).Should().Throw<ArgumentException>()
            .WithMessage("*className*'ring', 'washer'*");
        model.Inspect(parts.Queries[0], "ring").Score.Should().NotBe(model.Inspect(parts.Queries[0], "washer").Score);
    }

    [Fact]
    public void Inspect_File_GivesWhatTransformGives()
    {
        using var model = Fit(["washer"]);
        var score = model.Transform(Rows(["washer"])).GetColumn<float>("Score").First();
        model.Inspect(parts.Normal[0]).Score.Should().BeApproximately(score, 1e-5f);
        model.Calibration().SupportImages.Should().Be(4, "one class needs no name");
        FluentActions.Invoking(() => model.Inspect(parts.Normal[0], "bolt")).Should().Throw<ArgumentException>()
            .WithMessage("*'bolt'*'washer'*");
        FluentActions.Invoking(() => model.Inspect(parts.Path("nowhere.png"))).Should().Throw<ImageReadException>()
            .WithMessage("*nowhere.png*");
    }

    [Fact]
    public void Inspect_ReducedJpeg_ScoresNearlyTheSameAndTellsTheWholeSize()
    {
        var picture = TestSupport.TestImages.Part(900, 1000, 7, defective: true);
        var path = parts.Path("large.jpg");
        File.WriteAllBytes(path, ImageCodec.EncodeJpeg(picture, 95));
        using var model = With(reduced: false);
        using var quick = With(reduced: true);
        var (whole, reduced) = (model.Inspect(path), quick.Inspect(path));
        reduced.Score.Should().BeApproximately(whole.Score, 0.01f).And.NotBe(whole.Score, "it was decoded otherwise");
        (reduced.Width, reduced.Height, reduced.Map.Length).Should().Be((900, 1000, 900_000));
        reduced.Map.Zip(whole.Map, (a, b) => Math.Abs(a - b)).Max().Should().BeLessThan(0.1f);

        KagPromptTransformer With(bool reduced) => ml.Transforms.DetectAnomaliesKag(new KagPromptOptions
        {
            Images = new() { Size = 56, ReducedJpeg = reduced }, Device = "cpu", MapResolution = MapResolution.Image,
        }).Fit(Rows(["washer"]));
    }

    [Theory]
    [InlineData(ImageOrientation.Exif)]
    [InlineData(ImageOrientation.AsStored)]
    public void Load_Orientation_IsTheOneTheModelWasFittedWith(ImageOrientation orientation)
    {
        var picture = TestSupport.TestImages.Part(96, 64, 9, defective: true);
        // As stored, and as who follows EXIF's 6 shows it.
        var (turned, stored, upright) = (parts.Path("turned.png"), parts.Path("stored.png"), parts.Path("upright.png"));
        File.WriteAllBytes(turned, ImageBytes.Png(96, 64, 8, 2, picture.Rgb, ("eXIf", ImageBytes.Exif(6))));
        File.WriteAllBytes(stored, ImageCodec.EncodePng(picture));
        File.WriteAllBytes(upright, ImageCodec.EncodePng(ImageCodec.Read(turned)));
        var rows = Rows(["washer"]);
        var zip = parts.Path($"{orientation}.zip");
        using (var fitted = ml.Transforms.DetectAnomaliesKag(new KagPromptOptions
        {
            Images = new() { Size = 56, Orientation = orientation }, Device = "cpu",
        }).Fit(rows))
        {
            ml.Model.Save(fitted, rows.Schema, zip);
        }

        using var loaded = (KagPromptTransformer)ml.Model.Load(zip, out _);
        loaded.Options.Images.Orientation.Should().Be(orientation);
        var (seen, other) = orientation == ImageOrientation.Exif ? (upright, stored) : (stored, upright);
        loaded.Inspect(turned).Score.Should().Be(loaded.Inspect(seen).Score).And.NotBe(loaded.Inspect(other).Score);
        var scored = loaded.Transform(Load([turned, seen])).GetColumn<float>("Score").ToArray();
        scored[0].Should().Be(scored[1], "a row's picture is turned likewise");
    }

    [Fact]
    public void SaveAtomic_FailureMeanwhile_LeavesTheOldZip()
    {
        var zip = parts.Path("atomic/part.zip");
        using (var model = Fit(["washer"]))
        {
            ml.Model.SaveAtomic(model, Rows(["washer"]).Schema, zip);
            var again = ml.Model.Load(zip, out _);
            using var owned = again as IDisposable;
            again.Transform(Rows(["washer"])).GetColumn<float>("Score").Should()
                .Equal(model.Transform(Rows(["washer"])).GetColumn<float>("Score"));
        }

        var whole = File.ReadAllBytes(zip);
        var disposed = Fit(["washer"]);
        disposed.Dispose();
        FluentActions.Invoking(() => ml.Model.SaveAtomic(disposed, null, zip)).Should().Throw<Exception>();
        File.ReadAllBytes(zip).Should().Equal(whole);
        Directory.GetFiles(Path.GetDirectoryName(zip)!).Should().ContainSingle();
    }

    [Fact]
    public void Load_WithoutTheNativeLibrary_NamesThePackage()
    {
        var zip = parts.Path("bare.zip");
        using (var model = Fit(["washer"]))
        {
            ml.Model.Save(model, Rows(["washer"]).Schema, zip);
        }

        // The program with its managed assemblies alone, as of a project that references no libtorch.
        var program = Directory.CreateDirectory(parts.Path("bare")).FullName;
        var built = Path.GetDirectoryName(typeof(KagPromptTransformerTests).Assembly.Location)!
            .Replace("Microsoft.ML.KagPrompt.Tests", "Microsoft.ML.KagPrompt.FreshProcess", StringComparison.Ordinal);
        foreach (var file in Directory.GetFiles(built)
            .Where(file => Path.GetExtension(file) is ".dll" || file.EndsWith("runtimeconfig.json", StringComparison.Ordinal)))
        {
            File.Copy(file, Path.Combine(program, Path.GetFileName(file)));
        }

        string[] arguments = ["exec", Path.Combine(program, "Microsoft.ML.KagPrompt.FreshProcess.dll"), "bits", zip];
        var start = new ProcessStartInfo("dotnet", arguments) { RedirectStandardError = true, WorkingDirectory = program };
        // On a developer's machine TorchSharp falls back on what NuGet unpacked.
        start.Environment["NUGET_PACKAGES"] = Directory.CreateDirectory(parts.Path("none")).FullName;
        using var process = Process.Start(start)!;
        var said = process.StandardError.ReadToEnd();
        process.WaitForExit();
        process.ExitCode.Should().NotBe(0);
        said.Should().Contain(nameof(NativeRuntimeException)).And.MatchRegex("Reference one package.*'libtorch-cpu-[^']+' version [0-9.]+")
            .And.Contain("TorchSharp-cuda-");
    }

    private KagPromptTransformer Fit(string[] products)
        => ml.Transforms.DetectAnomaliesKag(new KagPromptOptions { Training = new() { Epochs = 0 }, Images = new() { Size = 56 }, Device = "cpu", Columns = new() { ClassName = "Product" } }).Fit(Rows(products));

    private IDataView Rows(string[] products) => Load(parts.Normal[..4], products);

    private IDataView Load(string[] paths, params string[] products)
    {
        var rows = ml.Data.LoadFromEnumerable(paths.Select((path, i)
            => new PartRow { ImagePath = path, Product = products.Length == 0 ? "washer" : products[i % products.Length] }).ToArray());
        return ml.Transforms.LoadImages("Image", "", "ImagePath").Fit(rows).Transform(rows);
    }
}
