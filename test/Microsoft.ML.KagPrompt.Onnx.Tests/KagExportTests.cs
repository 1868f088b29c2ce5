using Microsoft.ML.KagPrompt.Onnx.Schema;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Onnx.Tests;

/// <summary>KAG-prompt in ONNX: the bank alone, with a graph prompt of either form, of regions, crops and other choices.</summary>
public sealed class KagExportTests(KagExportTests.Fitted fitted) : IClassFixture<KagExportTests.Fitted>
{
    private const int Side = 112;

    private static readonly PixelBuffer[] Images = QueryPictures.Of(Side);

    /// <summary>The middle of the picture without its upper left corner, in shares.</summary>
    private static readonly InspectionRegion Region = InspectionRegion.FromShares([[(0.1, 0.1), (0.85, 0.2), (0.9, 0.9), (0.2, 0.8)]]);

    private static readonly KagOptions Alone = new() { Prompt = new() { FromScratch = true }, Training = new() { Epochs = 0 } };
    private static readonly KagOptions Prompted = new() { Training = new() { Epochs = 0 } };
    private static readonly KagOptions Drawn = new() { Prompt = new() { FromScratch = true, Iterations = 2 }, Training = new() { Epochs = 1, BatchSize = 2 } };

    private static readonly Dictionary<string, InspectionOptions> Choices = new()
    {
        ["the bank alone"] = Options("resnet18", Alone),
        ["a region"] = Options("resnet18", Alone) with { Regions = new Dictionary<string, InspectionRegion> { ["a"] = Region } },
        ["a crop"] = Options("resnet18", Alone) with { Images = new() { Size = Side, ResizeMode = ResizeMode.CropShortSide } },
        ["aligned corners"] = Options("resnet18", Alone) with { Images = new() { Size = Side, MapUpsampling = MapUpsampling.AlignedCorners } },
        ["tiles"] = Options("resnet18", Alone) with { Images = new() { Size = Side, Tiles = 2 } },
        ["tiles and a prompt"] = Options("compact", Prompted) with { Images = new() { Size = Side, Tiles = 2 } },
        ["the embedded prompt"] = Options("compact", Prompted),
        ["a prompt and a region"] = Options("compact", Prompted) with { Regions = new Dictionary<string, InspectionRegion> { ["a"] = Region } },
        ["a prompt and a bank of another backbone"] = Options("compact", Prompted) with { Backbone = new() { Name = "compact", MemoryName = "resnet18" } },
        ["the graph's outputs remembered"] = Options("compact", Prompted with { Memory = new() { Features = MemoryFeatures.Graph } }),
        ["the prompt's branch alone"] = Options("compact", Prompted with { Fusion = new() { Branches = ScoringBranches.Prompt } }),
        ["the released form"] = Options("compact", Drawn with { Prompt = new() { FromScratch = true, Iterations = 2, Variant = GraphVariant.Released } }),
        ["the backbone's own size, by defaults"] = new() { Device = "cpu", Seed = 1 },
    };

    public static TheoryData<string> Names => [.. Choices.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Export_Of_ScoresAsTheModel(string choice)
    {
        var model = fitted.Model(choice);
        using var run = new OnnxRun(model);
        SameVerdicts.Check(model, run, null, QueryPictures.Of(model.MapSize));
    }

    [SkippableFact]
    public void Export_OfPhotographs_ScoresAsTheModel()
    {
        var files = Directory.GetFiles(SharedFiles.Data("magnetic_tile"), "*.jpg", SearchOption.AllDirectories).Order().ToArray();
        using var model = KagPromptTrainer.Fit(files.Take(4).Select(file => new TrainingImage { Image = TestImages.Read(file), ClassName = "a" }), new() { Device = "cpu", Seed = 1 });
        using var run = new OnnxRun(model);
        SameVerdicts.Check(model, run, null, files.Chunk(files.Length / 10).Take(10).Select(part => TestImages.Read(part[0])));
    }

    [Fact]
    public void Export_OfAForeignImage_MarksIt()
    {
        using var run = new OnnxRun(fitted.Model("the bank alone"));
        run.Inspect(TestImages.Noise(160, 120, 11))[0].IsForeign.Should().BeTrue("noise is no such part");
        run.Inspect(Images[0])[0].IsForeign.Should().BeFalse();
    }

    [Fact]
    public void Export_Images_AreScoredApartInABatch()
    {
        var model = fitted.Model("the embedded prompt");
        using var run = new OnnxRun(model);
        foreach (var (i, verdict) in run.Inspect(Images[0], Images[1]).Index())
        {
            SameVerdicts.Check(model.Inspect(Images[i]), verdict, $"image {i} of a batch", SameVerdicts.Square);
        }
    }

    [Fact]
    public void Export_OfFixedSize_TakesSquares()
    {
        var model = fitted.Model("a region");
        using var run = new OnnxRun(model, new() { FixedSize = true });
        run.Metadata["kagprompt.input"].Should().Be("square");
        SameVerdicts.Check(model, run, null, Images.Where(image => image.Width == Side && image.Height == Side));
    }

    [Fact]
    public void Export_In16Bits_IsSmallerAndScoresNearly()
    {
        var model = fitted.Model("the embedded prompt");
        using var whole = new OnnxRun(model);
        using var half = new OnnxRun(model, new() { Precision = OnnxWeightType.Float16 });
        half.Metadata["kagprompt.precision"].Should().Be("Float16");
        half.Bytes.Length.Should().BeLessThan(whole.Bytes.Length * 6 / 10);
        SameVerdicts.Check(model, half, null, Images.Take(2), 3e-4, square: 3e-4);
    }

    [Theory]
    [InlineData("the bank alone")]
    [InlineData("the embedded prompt")]
    [InlineData("a region")]
    public void Export_OfMemoryIn8Bits_IsSmallerAndScoresNearly(string choice)
    {
        var model = fitted.Model(choice);
        using var whole = new OnnxRun(model);
        using var bytes = new OnnxRun(model, new() { Quantize = OnnxQuantization.Memory });
        using var both = new OnnxRun(model, new() { Quantize = OnnxQuantization.Memory, Precision = OnnxWeightType.Float16 });
        bytes.Metadata["kagprompt.quantize"].Should().Be("Memory");
        both.Bytes.Length.Should().BeLessThan(bytes.Bytes.Length).And.BeLessThan(whole.Bytes.Length / 2);
        SameVerdicts.Check(model, bytes, null, Images.Skip(3).Take(5), 5e-4, square: 5e-4);
        SameVerdicts.Check(model, both, null, Images.Skip(3).Take(5), 1e-3, square: 1e-3);
    }

    [Fact]
    public void Export_OfMemoryIn8Bits_HoldsEachPatchToHalfAStepOfItsOwnLargestNumber()
    {
        var model = fitted.Model("the bank alone");
        using var run = new OnnxRun(model);
        using var inBytes = new OnnxRun(model, new() { Quantize = OnnxQuantization.Memory });
        var (whole, stored) = (ModelProto.Parser.ParseFrom(run.Bytes).Graph, ModelProto.Parser.ParseFrom(inBytes.Bytes).Graph);
        var restored = stored.Node.Where(node => node.OpType == "DequantizeLinear").ToArray();
        restored.Should().NotBeEmpty();
        var kept = stored.Initializer.Select(tensor => tensor.RawData).ToHashSet();
        // What is not in 8 bit is as it was; the rest are the patches, column by column, in the same order.
        var patches = whole.Initializer.Where(tensor => !kept.Contains(tensor.RawData)).ToArray();
        patches.Should().HaveSameCount(restored);
        foreach (var (node, original) in restored.Zip(patches))
        {
            node.Attribute.Should().ContainSingle().Which.Should().Match<AttributeProto>(attribute => attribute.Name == "axis" && attribute.I == 1);
            var (quantized, scales) = (stored.Initializer.Single(tensor => tensor.Name == node.Input[0]), Floats(stored.Initializer.Single(tensor => tensor.Name == node.Input[1])));
            quantized.DataType.Should().Be((int)TensorProto.Types.DataType.Int8);
            quantized.Dims.Should().Equal(original.Dims);
            var (rows, columns, values) = ((int)original.Dims[0], (int)original.Dims[1], Floats(original));
            scales.Should().HaveCount(columns);
            for (var column = 0; column < columns; column++)
            {
                var (largest, farthest) = (0f, 0f);
                for (var row = 0; row < rows; row++)
                {
                    var (at, value) = ((row * columns) + column, values[(row * columns) + column]);
                    largest = Math.Max(largest, Math.Abs(value));
                    farthest = Math.Max(farthest, Math.Abs(value - ((sbyte)quantized.RawData[at] * scales[column])));
                }

                scales[column].Should().BeApproximately(largest / 127, 1e-6f * largest);
                farthest.Should().BeLessThanOrEqualTo(0.501f * scales[column]);
            }
        }

        static float[] Floats(TensorProto tensor) => [.. System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(tensor.RawData.Span)];
    }

    [Fact]
    public void Export_OfTwoClasses_ScoresEach_AndAsksWhich()
    {
        using var both = KagPromptTrainer.Adapt(fitted.Model("the bank alone"), Parts("b/c", 2, defective: true));
        FluentActions.Invoking(() => both.ExportOnnx(Stream.Null)).Should().Throw<ArgumentException>().WithMessage("*ClassName*'a', 'b/c'*");
        FluentActions.Invoking(() => both.ExportOnnx(Stream.Null, new() { ClassName = "d" })).Should().Throw<ArgumentException>().WithMessage("*'d'*");
        foreach (var name in both.ClassNames)
        {
            using var run = new OnnxRun(both, new() { ClassName = name });
            run.Metadata["kagprompt.class"].Should().Be(name);
            SameVerdicts.Check(both, run, name, Images.Take(3));
        }
    }

    [Fact]
    public void Export_OfAMovedThreshold_DecidesByIt()
    {
        var model = fitted.Model("the bank alone");
        foreach (var threshold in new[] { float.NegativeInfinity, model.Inspect(Images[0]).Score, float.PositiveInfinity })
        {
            using var moved = model.WithThreshold(threshold);
            using var run = new OnnxRun(moved);
            SameVerdicts.Check(moved, run, null, Images.Skip(1).Take(1));
        }
    }

    [Fact]
    public void Export_InBFloat16_IsRefused()
    {
        using var model = KagPromptTrainer.Fit(Parts("a", 1), Options("resnet18", Alone) with { Backbone = new() { Name = "resnet18", Precision = Precision.BFloat16 } });
        FluentActions.Invoking(() => model.ExportOnnx(Stream.Null)).Should().Throw<NotSupportedException>().WithMessage("*Precision*BFloat16*Float32*");
    }

    /// <summary>A model a choice, fitted when first asked for.</summary>
    public sealed class Fitted : IDisposable
    {
        private readonly Dictionary<string, KagPromptModel> models = [];

        public KagPromptModel Model(string choice)
        {
            if (!models.TryGetValue(choice, out var model))
            {
                models.Add(choice, model = KagPromptTrainer.Fit(Parts("a", 3), Choices[choice]));
            }

            return model;
        }

        public void Dispose()
        {
            foreach (var model in models.Values)
            {
                model.Dispose();
            }
        }
    }

    private static IEnumerable<TrainingImage> Parts(string className, int count, bool defective = false)
        => Enumerable.Range(0, count).Select(seed => new TrainingImage { Image = TestImages.Part(200, 160, seed, defective), ClassName = className });

    private static InspectionOptions Options(string backbone, KagOptions method) => new()
    {
        Method = method,
        Backbone = new() { Name = backbone },
        Images = new() { Size = Side },
        Device = "cpu",
        Seed = 1,
    };
}
