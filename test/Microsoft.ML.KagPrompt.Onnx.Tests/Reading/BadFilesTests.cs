using Google.Protobuf;
using Microsoft.ML.KagPrompt.Onnx.Schema;
using Microsoft.ML.KagPrompt.OnnxReading;
using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Onnx.Tests.Reading;

/// <summary>Files that are none, or not as they were written: each is refused with what, expected, got and remedy.</summary>
public sealed class BadFilesTests(ExportedPart part) : IClassFixture<ExportedPart>
{
    [Fact]
    public void Load_NoSuchFileOrNone_IsSaid()
    {
        FluentActions.Invoking(() => OnnxInspector.Load(part.Path("none.onnx"))).Should().Throw<FileNotFoundException>().WithMessage("*none.onnx*kagprompt export*");
        Refused("<!doctype html><title>Sign in</title>"u8.ToArray()).WithMessage("*is no ONNX file*Export the model again*");
        Refused([]).WithMessage("*is no ONNX file*");
        Refused(File.ReadAllBytes(part.File)[..^1000]).WithMessage("*is no ONNX file*ends early*");
    }

    [Fact]
    public void Load_AnotherProgramsFile_NamesIt()
        => Refused(part.With(model =>
        {
            model.MetadataProps.Clear();
            model.ProducerName = "pytorch";
        })).WithMessage("*another program ('pytorch')*kagprompt.format*");

    [Theory]
    [InlineData("format", "2", "*format '2': expected '1'*update Microsoft.ML.KagPrompt.Onnx*")]
    [InlineData("threshold", "zero", "*kagprompt.threshold: expected the calibration's*got 'zero'*")]
    [InlineData("threshold", "0.123", "*kagprompt.threshold: expected the calibration's*")]
    [InlineData("class", null, "*kagprompt.class: expected a value*")]
    [InlineData("calibration", "{}", "*calibration is damaged*")]
    [InlineData("calibration", "{\"threshold\":", "*calibration is damaged*")]
    [InlineData("image_size", "-3", "*kagprompt.image_size: expected 1 to 2048*")]
    [InlineData("image_size", "224", "*computes something else*anomaly_map*224*")]
    [InlineData("resize_mode", "1", "*kagprompt.resize_mode: expected one of Stretch, CropShortSide*")]
    [InlineData("orientation", "exif", "*kagprompt.orientation*")]
    [InlineData("input", "tiles", "*kagprompt.input: expected 'pixels' or 'square'*")]
    [InlineData("input", "square", "*computes something else*'image' of Float*")]
    public void Load_OtherMetadata_NamesTheEntry(string key, string? value, string message) => Refused(part.WithText(key, value)).WithMessage(message);

    [Fact]
    public void Load_OperatorsOfOthers_AreRefused()
        => Refused(part.With(model => model.OpsetImport.Add(new OperatorSetIdProto { Domain = "com.example", Version = 1 }))).WithMessage("*operators of 'com.example'*");

    [Fact]
    public void Load_GraphOfOtherOutputs_IsRefused()
        => Refused(part.With(model => model.Graph.Output.Remove(model.Graph.Output.Single(output => output.Name == "is_foreign"))))
            .WithMessage("*computes something else: expected the output 'is_foreign'*got none*");

    [Fact]
    public void Load_OutputThatIsASequence_IsRefused()
        => Refused(part.With(model =>
        {
            Rename(model, "score", "scores");
            model.Graph.Node.Add(new NodeProto { Name = "sequence", OpType = "SequenceConstruct", Input = { "scores" }, Output = { "score" } });
            // TypeProto's sequence_type of tensors of floats, which the schema of what is written has not.
            model.Graph.Output.Single(output => output.Name == "score").Type = TypeProto.Parser.ParseFrom([0x22, 6, 0x0a, 4, 0x0a, 2, 0x08, 1]);
        })).WithMessage("*computes something else: expected the output 'score'*got ONNX_TYPE_SEQUENCE*");

    [Fact]
    public void Inspect_OutputOfAnotherShapeThanDeclared_IsRefused()
    {
        using var inspector = OnnxInspector.Load(part.With(model =>
        {
            Rename(model, "score", "scores");
            model.Graph.Node.Add(new NodeProto
            {
                Name = "twice", OpType = "Concat", Input = { "scores", "scores" }, Output = { "score" },
                Attribute = { new AttributeProto { Name = "axis", I = 0, Type = AttributeProto.Types.AttributeType.Int } },
            });
        }));
        inspector.Invoking(one => one.Inspect(part.Queries[0])).Should().Throw<ModelFormatException>()
            .WithMessage("*computes something else: expected score of Float [1], got Float [2]*");
    }

    private static void Rename(ModelProto model, string output, string name)
    {
        foreach (var node in model.Graph.Node)
        {
            for (var i = 0; i < node.Output.Count; i++)
            {
                node.Output[i] = node.Output[i] == output ? name : node.Output[i];
            }

            for (var i = 0; i < node.Input.Count; i++)
            {
                node.Input[i] = node.Input[i] == output ? name : node.Input[i];
            }
        }
    }

    [Fact]
    public void Load_NodeThatIsNone_IsTheRuntimesToRefuse()
        => Refused(part.With(model => model.Graph.Node[0].OpType = "Nonsense")).WithMessage("*ONNX Runtime cannot load it*");

    [Fact]
    public void Load_FlippedBitOfAWeight_IsRefused()
    {
        var file = File.ReadAllBytes(part.File);
        file[file.Length / 2] ^= 1;
        Refused(file).WithMessage("*damaged, or was changed since it was exported*SHA-256*");
        Refused(part.WithText("graph_sha256", null)).WithMessage("*kagprompt.graph_sha256*");
    }

    [Fact]
    public void Load_AnyDamage_IsRefusedOrRead()
    {
        // Weights out, the rest stays: every byte is one that means something.
        var small = part.With(model =>
        {
            foreach (var constant in model.Graph.Initializer.Where(constant => constant.RawData.Length > 256))
            {
                constant.RawData = ByteString.CopyFrom(constant.RawData.Span[..16]);
            }
        });
        var random = new Random(3);
        for (var i = 0; i < 2000; i++)
        {
            var file = Mutation.Changed(small, random);
            try
            {
                ExportedFile.Read(file, "It").Info.ImageSize.Should().BePositive();
            }
            catch (ModelFormatException)
            {
                // As it should be.
            }
        }
    }

    [Fact]
    public void Inspect_WeightsThatAreNoNumbers_GivesNoVerdict()
    {
        var file = part.With(model =>
        {
            foreach (var constant in model.Graph.Initializer.Where(constant => constant.DataType == 1 && constant.Dims.Count == 4))
            {
                var values = new float[constant.RawData.Length / 4];
                Array.Fill(values, float.NaN);
                constant.RawData = ByteString.CopyFrom(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(values));
            }
        });
        using var inspector = OnnxInspector.Load(file);
        inspector.Invoking(one => one.Inspect(part.Queries[0])).Should().Throw<NotFiniteException>().WithMessage("*no verdict on '*query0.png'*");
    }

    [Fact]
    public void Load_WeightsBesideTheFile_AreReadFromItsNameAlone()
    {
        var data = new MemoryStream();
        void Outside(ModelProto model, string name)
        {
            data.SetLength(0);
            foreach (var constant in model.Graph.Initializer.Where(constant => constant.RawData.Length >= 4096))
            {
                constant.DataLocation = TensorProto.Types.DataLocation.External;
                constant.ExternalData.Add(new StringStringEntryProto { Key = "location", Value = name });
                constant.ExternalData.Add(new StringStringEntryProto { Key = "offset", Value = $"{data.Length}" });
                constant.ExternalData.Add(new StringStringEntryProto { Key = "length", Value = $"{constant.RawData.Length}" });
                data.Write(constant.RawData.Span);
                constant.RawData = ByteString.Empty;
            }

            model.MetadataProps.Add(new StringStringEntryProto { Key = "kagprompt.data_sha256", Value = ExportedPart.HashOf(data.ToArray()) });
        }

        var path = part.Path("large.onnx");
        File.WriteAllBytes(path, part.With(model => Outside(model, "large.onnx.data")));
        Refusal(() => OnnxInspector.Load(path)).WithMessage("*'large.onnx.data'*not beside it*");
        File.WriteAllBytes(path + ".data", data.ToArray());
        using (var inspector = OnnxInspector.Load(path))
        {
            OnnxInspectorTests.Check(part.Model.Inspect(part.Images[3]), inspector.Inspect(part.Queries[3]), "weights beside it", SameVerdicts.Square);
            inspector.Info.ByteCount.Should().Be(new FileInfo(path).Length + data.Length);
        }

        Refused(File.ReadAllBytes(path)).WithMessage("*weights in another file*");
        var flipped = data.ToArray();
        flipped[flipped.Length / 2] ^= 1;
        File.WriteAllBytes(path + ".data", flipped);
        Refusal(() => OnnxInspector.Load(path)).WithMessage("*large.onnx.data' is damaged*SHA-256*");
        File.WriteAllBytes(path + ".data", data.ToArray()[..^1]);
        Refusal(() => OnnxInspector.Load(path)).WithMessage("*large.onnx.data' ends early*");
        foreach (var other in (string[])["../large.onnx.data", "/etc/passwd", "other.data", ""])
        {
            File.WriteAllBytes(path, part.With(model => Outside(model, other)));
            Refusal(() => OnnxInspector.Load(path)).WithMessage($"*weights in '{other}': expected them*");
        }
    }

    [SkippableTheory]
    [InlineData(OnnxProvider.Cuda, "Microsoft.ML.OnnxRuntime.Gpu")]
    [InlineData(OnnxProvider.DirectML, "Microsoft.ML.OnnxRuntime.DirectML")]
    [InlineData(OnnxProvider.OpenVino, "Intel.ML.OnnxRuntime.OpenVino")]
    public void Load_ProviderThatIsNotThere_NamesThePackage(OnnxProvider provider, string package)
    {
        var there = Microsoft.ML.OnnxRuntime.OrtEnv.Instance().GetAvailableProviders();
        Skip.If(there.Any(name => name.StartsWith(provider switch { OnnxProvider.DirectML => "Dml", _ => $"{provider}" }, StringComparison.OrdinalIgnoreCase)),
            "this ONNX Runtime has the provider");
        FluentActions.Invoking(() => OnnxInspector.Load(part.File, new() { Provider = provider })).Should().Throw<NativeRuntimeException>()
            .WithMessage($"*{provider} is not there*CPUExecutionProvider*{package}*");
    }

    private static FluentAssertions.Specialized.ExceptionAssertions<ModelFormatException> Refused(byte[] file)
        => Refusal(() => OnnxInspector.Load(file, "'part.onnx'"));

    private static FluentAssertions.Specialized.ExceptionAssertions<ModelFormatException> Refusal(Func<OnnxInspector> load)
        => load.Should().Throw<ModelFormatException>();
}
