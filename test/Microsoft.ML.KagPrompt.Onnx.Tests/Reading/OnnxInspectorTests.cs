using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Onnx.Tests.Reading;

/// <summary>Scoring with an exported file: the model's own verdicts.</summary>
public sealed class OnnxInspectorTests(ExportedPart part) : IClassFixture<ExportedPart>
{
    private static readonly OnnxInspectorOptions OneThread = new() { Threads = 1 };

    [Theory]
    [InlineData(OnnxResizing.AsTheModel, SameVerdicts.Square)]
    [InlineData(OnnxResizing.InTheFile, SameVerdicts.Resized)]
    public void Inspect_ImagesOfAnySize_GivesTheModelsVerdicts(OnnxResizing resizing, double tolerance)
    {
        using var inspector = OnnxInspector.Load(part.File, OneThread with { Resizing = resizing });
        var images = part.Images.Append(TestImages.Part(ExportedPart.Side, ExportedPart.Side, 9)).Append(TestImages.Noise(200, 130, 1)).ToArray();
        var verdicts = inspector.Inspect(images);
        verdicts.Should().HaveCount(images.Length);
        foreach (var (i, verdict) in verdicts.Index())
        {
            Check(part.Model.Inspect(images[i]), verdict, $"image {i}", tolerance);
        }

        verdicts.Select(verdict => verdict.IsAnomalous).Distinct().Should().HaveCount(2, "else decisions are not tested");
        verdicts[^1].IsForeign.Should().BeTrue("else the mark is not tested");
    }

    [Fact]
    public void Inspect_FileAndFixedSizeAndSmallerOnes_GiveTheSame()
    {
        part.Model.ExportOnnx(part.Path("square.onnx"), new() { FixedSize = true });
        part.Model.ExportOnnx(part.Path("half.onnx"), new() { Precision = OnnxWeightType.Float16 });
        part.Model.ExportOnnx(part.Path("bytes.onnx"), new() { Quantize = OnnxQuantization.Memory });
        using var inspector = OnnxInspector.Load(part.File, OneThread);
        using var square = OnnxInspector.Load(part.Path("square.onnx"), OneThread with { Resizing = OnnxResizing.InTheFile });
        using var half = OnnxInspector.Load(part.Path("half.onnx"), OneThread);
        using var bytes = OnnxInspector.Load(part.Path("bytes.onnx"), OneThread);
        (bytes.Info.Precision, bytes.Info.Quantization, half.Info.Quantization).Should().Be(("Float32", "Memory", "None"));
        bytes.Info.ByteCount.Should().BeLessThan(inspector.Info.ByteCount * 9 / 10);
        square.Info.IsFixedSize.Should().BeTrue();
        half.Info.Precision.Should().Be("Float16");
        half.Info.ByteCount.Should().BeLessThan(inspector.Info.ByteCount * 6 / 10);
        foreach (var path in part.Queries)
        {
            var verdict = inspector.Inspect(path);
            Check(part.Model.Inspect(ImageCodec.Read(path)), verdict, path, SameVerdicts.Square);
            Check(verdict, square.Inspect(path), path, SameVerdicts.Square);
            Check(verdict, bytes.Inspect(path), path, 5e-4);
            half.Inspect(path).Score.Should().BeApproximately(verdict.Score, 0.01f);
        }
    }

    [Fact]
    public void Inspect_AtImageSize_GivesTheMapTheModelGives()
    {
        using var inspector = OnnxInspector.Load(part.File, OneThread);
        var verdict = inspector.Inspect(part.Queries[3], atImageSize: true);
        Check(part.Model.Inspect(part.Images[3], atImageSize: true), verdict, "at image size", SameVerdicts.Square);
        (verdict.Width, verdict.Height).Should().Be((part.Images[3].Width, part.Images[3].Height));
    }

    [Theory]
    [InlineData(OnnxResizing.AsTheModel)]
    [InlineData(OnnxResizing.InTheFile)]
    public void Inspect_ManyImages_AreScoredAsEachAlone(OnnxResizing resizing)
    {
        using var inspector = OnnxInspector.Load(part.File, OneThread with { Resizing = resizing });
        var images = Enumerable.Range(0, 11).Select(i => TestImages.Part(80 + (20 * (i % 2)), 90, i, defective: i % 3 == 0)).ToArray();
        var together = inspector.Inspect(images);
        foreach (var (i, image) in images.Index())
        {
            Check(inspector.Inspect(image), together[i], $"image {i}", SameVerdicts.Square);
        }

        inspector.Inspect(Array.Empty<PixelBuffer>()).Should().BeEmpty();
    }

    [Fact]
    public void Inspect_FromSeveralThreads_GivesTheSame()
    {
        using var inspector = OnnxInspector.Load(part.File, OneThread);
        var (images, alone) = (part.Images, inspector.Inspect(part.Images));
        Parallel.For(0, 20, i => inspector.Inspect(images[i % images.Length]).Score.Should().BeApproximately(alone[i % images.Length].Score, 1e-5f));
    }

    [Fact]
    public void Inspect_Region_IsNaNOutsideAndRefusesAnotherShape()
    {
        var region = InspectionRegion.FromPolygons(120, 90, [[(10, 10), (110, 10), (110, 60), (10, 60)]]);
        using var model = KagPromptTrainer.Fit(
            Enumerable.Range(0, 3).Select(i => new TrainingImage { Image = TestImages.Part(120, 90, i), ClassName = "ring" }),
            new() { Images = new() { Size = ExportedPart.Side }, Device = "cpu", Regions = new Dictionary<string, InspectionRegion> { ["ring"] = region } });
        model.ExportOnnx(part.Path("ring.onnx"));
        using var inspector = OnnxInspector.Load(part.Path("ring.onnx"), OneThread);
        var image = TestImages.Part(240, 180, 5);
        var verdict = inspector.Inspect(image);
        Check(model.Inspect(image), verdict, "a region", SameVerdicts.Square);
        verdict.Map.Should().Contain(float.NaN);
        (inspector.Info.ClassName, inspector.Info.RegionSize).Should().Be(("ring", (120, 90)));
        inspector.Invoking(one => one.Inspect([image, TestImages.Part(90, 120, 1)])).Should().Throw<ImageReadException>()
            .WithMessage("image 2 of 2 (class 'ring') has 90 x 120 pixels*120 x 90*");
    }

    [Fact]
    public void Info_ExportedModel_TellsWhatTheModelTells()
    {
        var info = OnnxInspector.Describe(part.File);
        var calibration = part.Model.CalibrationOf("object");
        info.Calibration.Should().BeEquivalentTo(calibration, options => options.ComparingByMembers<ThresholdCalibration>());
        info.Calibration.Explanation.Should().Be(calibration.Explanation);
        (info.ClassName, info.Method, info.ImageSize, info.ResizeMode, info.Orientation, info.IsFixedSize, info.Precision, info.Opset)
            .Should().Be(("object", "kag", ExportedPart.Side, ResizeMode.Stretch, ImageOrientation.Exif, false, "Float32", 18));
        info.ByteCount.Should().Be(new FileInfo(part.File).Length);
    }

    [Fact]
    public void Info_OfAFileFromBefore8Bits_TellsThatNothingIs()
    {
        using var inspector = OnnxInspector.Load(part.WithText("quantize", null), options: OneThread);
        inspector.Info.Quantization.Should().Be("None");
    }

    [Fact]
    public void Dispose_Twice_EndsInspecting()
    {
        var inspector = OnnxInspector.Load(part.File, OneThread);
        inspector.Dispose();
        inspector.Dispose();
        inspector.Invoking(one => one.Inspect(part.Images[0])).Should().Throw<ObjectDisposedException>();
    }

    [Fact]
    public void Options_OutOfRange_AreAllNamed()
        => FluentActions.Invoking(() => OnnxInspector.Load(part.File, new() { Threads = 0, DeviceId = -1, MaxPixels = 0, Provider = (OnnxProvider)9, Resizing = (OnnxResizing)9 }))
            .Should().Throw<ArgumentException>().WithMessage("*5 invalid*Provider*DeviceId*Threads*Resizing*MaxPixels*");

    [Fact]
    public void Load_OpenVinoOnANumberedDevice_IsRefused()
        => FluentActions.Invoking(() => OnnxInspector.Load(part.File, new() { Provider = OnnxProvider.OpenVino, DeviceId = 1 }))
            .Should().Throw<ArgumentException>().WithMessage("*DeviceId*0 with provider OpenVino*got 1*");

    internal static void Check(Inspection expected, Inspection got, string what, double tolerance)
    {
        SameVerdicts.Check(expected, new OnnxVerdict(got.Score, got.Map, got.Probability, got.IsAnomalous, got.Unlikeness, got.IsForeign), what, tolerance);
        (got.Threshold, got.Width, got.Height, got.Reason).Should().Be((expected.Threshold, expected.Width, expected.Height, expected.Reason), what);
    }
}
