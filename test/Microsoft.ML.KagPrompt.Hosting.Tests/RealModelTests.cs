using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Hosting.Tests;

/// <summary>Fitted models, as zips and exported files, against the single call.</summary>
public sealed class RealModelTests(FittedModels fitted) : IClassFixture<FittedModels>
{
    // Of a batch other kernels may be chosen than of one image.
    private const float Tolerance = 1e-5f;

    private readonly MLContext ml = fitted.Ml;

    [Fact]
    public async Task InspectAsync_ZipAndExportedFile_ScoreAsTheSingleCall()
    {
        var (zip, onnx) = fitted.A;
        await using var host = RunningHost.Create((options, _) =>
        {
            options.Products["zip"] = new() { Path = zip };
            options.Products["onnx"] = new() { Path = onnx, ClassName = "object" };
        }, (builder, _) => builder.AddLoader(new KagPromptModelLoader(ml)).AddLoader(new OnnxModelLoader(new() { Threads = 1 }, concurrentBatches: 2)));
        await host.StartAsync();
        using var direct = KagPromptTransformer.FindIn(ml.Model.Load(zip, out _));
        using var inspector = OnnxInspector.Load(onnx, new() { Threads = 1 });
        var files = Enumerable.Range(0, 12).Select(i => ImageCodec.EncodePng(TestImages.Part(96 + (8 * (i % 3)), 90, 100 + i, defective: i % 4 == 3))).ToArray();
        foreach (var (product, single) in new (string, Func<PixelBuffer, Inspection>)[] { ("zip", image => direct.Inspect(image)), ("onnx", image => inspector.Inspect(image)) })
        {
            var verdicts = await Task.WhenAll(files.Select(file => host.Inspector.InspectAsync(file, product)));
            verdicts.Select(verdict => verdict.IsAnomalous).Should().Contain([true, false]);
            for (var i = 0; i < files.Length; i++)
            {
                var expected = single(ImageCodec.Read(files[i], "file"));
                verdicts[i].Score.Should().BeApproximately(expected.Score, Tolerance);
                (verdicts[i].IsAnomalous, verdicts[i].Threshold).Should().Be((expected.IsAnomalous, expected.Threshold));
                verdicts[i].Map.Zip(expected.Map, (one, other) => MathF.Abs(one - other)).Max().Should().BeLessThan(10 * Tolerance);
            }
        }

        host.Measured("kagprompt.batch.size").Select(batch => batch.Value).Sum().Should().Be(24);
        host.Measured("kagprompt.batch.size").Should().Contain(batch => batch.Value > 1, "those that wait go together");
    }

    [Fact]
    public async Task SwapAsync_BetweenRealModelsUnderCallers_EveryVerdictIsItsVersions()
    {
        var (a, b) = (fitted.A, fitted.B);
        await using var host = RunningHost.Create(null, (builder, _) => builder.AddLoader(new KagPromptModelLoader(ml)).AddLoader(new OnnxModelLoader(new() { Threads = 1 })));
        await host.StartAsync();
        var sources = new[] { a.Zip, b.Onnx, a.Onnx, b.Zip };
        await host.Models.SwapAsync(new("part", sources[0]) { Version = "0" });
        var picture = TestImages.Part(96, 90, 200);
        var expected = new[] { a.Zip, b.Zip }.Select(zip =>
        {
            using var model = KagPromptTransformer.FindIn(ml.Model.Load(zip, out _));
            return model.Inspect(picture).Score;
        }).ToArray();
        expected[0].Should().NotBeApproximately(expected[1], 100 * Tolerance, "else versions could not be told apart");
        using var enough = new CancellationTokenSource();
        var callers = Enumerable.Range(0, 3).Select(_ => Task.Run(async () =>
        {
            while (!enough.IsCancellationRequested)
            {
                var verdict = await host.Inspector.InspectAsync(picture, "part");
                verdict.Score.Should().BeApproximately(expected["abab"[int.Parse(verdict.ModelVersion!) % 4] - 'a'], Tolerance);
            }
        })).ToArray();
        for (var i = 1; i <= 4; i++)
        {
            await host.Models.SwapAsync(new("part", sources[i % 4]) { Version = $"{i}" });
        }

        await enough.CancelAsync();
        await Task.WhenAll(callers);
    }

    [Fact]
    public void Loaders_FilesAndClasses_AreToldByContent()
    {
        var (zip, onnx) = fitted.A;
        var alone = fitted.In("alone");
        using (var model = KagPromptTransformer.FindIn(ml.Model.Load(zip, out _)))
        {
            model.Model.Save(alone);
        }

        var (zips, exported) = (new KagPromptModelLoader(ml), new OnnxModelLoader());
        foreach (var (path, isZips, isExported) in new[] { (zip, true, false), (alone, true, false), (onnx, false, true) })
        {
            var head = File.ReadAllBytes(path).AsSpan(0, IInspectionModelLoader.HeadLength);
            (zips.Reads(head), exported.Reads(head)).Should().Be((isZips, isExported), path);
            IInspectionModelLoader loader = isZips ? zips : exported;
            loader.ClassNames(path).Should().Equal("object");
            using var model = loader.Load(path);
            (model.ClassName, model.Images.Size).Should().Be(("object", FittedModels.Side));
            loader.Invoking(one => one.Load(path, "nut")).Should().Throw<ArgumentException>().WithMessage("*'nut' is not known*");
        }

        zips.Reads([]).Should().BeFalse();
        exported.Reads([]).Should().BeFalse();
        File.WriteAllBytes(fitted.In("half.zip"), File.ReadAllBytes(zip)[..5000]);
        zips.Invoking(one => one.Load(fitted.In("half.zip"))).Should().Throw<ModelFormatException>().WithMessage("*half.zip*");
    }
}
