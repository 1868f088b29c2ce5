using System.Text.Json.Nodes;
using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Backbones.Published;
using Microsoft.ML.KagPrompt.Backbones.Vit;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Backbones;

public sealed class BackboneConverterTests : IDisposable
{
    private readonly DisposeScope scope = torch.NewDisposeScope();
    private readonly string folder = Directory.CreateTempSubdirectory("kagprompt-convert-").FullName;
    private readonly Dictionary<string, torch.Tensor> clip = TinyBackbones.Clip(1);

    public BackboneConverterTests()
    {
        TinyBackbones.WriteSafetensors(In("clip.safetensors"), clip);
        TinyBackbones.WriteVocabulary(folder);
    }

    [Theory]
    [InlineData(WeightType.Float32, torch.ScalarType.Float32)]
    [InlineData(WeightType.Float16, torch.ScalarType.Float16)]
    [InlineData(WeightType.BFloat16, torch.ScalarType.BFloat16)]
    public void Convert_EachType_HoldsTheWeightsRoundedToIt(WeightType type, torch.ScalarType stored)
    {
        var made = BackboneConverter.Convert(In("clip.safetensors"), In("made"), type);
        made.Family.Should().Be("OpenCLIP");
        made.HasText.Should().BeTrue();
        made.HasVocabulary.Should().BeTrue();
        BackboneDescription.Read(In("made")).Should().Be(made);
        BackboneDescription.Read(In("clip.safetensors")).Should().Be(made with { Sha256 = FileHash.Of(In("clip.safetensors")) });

        var (image, source, converted) = (torch.randn(1, 3, 56, 56), BackboneSources.Open(In("clip.safetensors"), []), BackboneSources.Open(In("made"), []));
        using var vision = SafetensorsFile.Open(In("made/vision.safetensors"));
        vision.Entries.Values.Should().AllSatisfy(entry => entry.Type.Should().Be(stored));
        vision.Read("blocks.2.fc1.weight").eq(clip["visual.transformer.resblocks.2.mlp.c_fc.weight"].to(stored)).all().ToBoolean().Should().BeTrue();
        using var before = source.LoadVision(torch.ScalarType.Float32, roundToHalf: false);
        using var after = converted.LoadVision(torch.ScalarType.Float32, roundToHalf: false);
        after.Encode(image).PatchTokens[3].ShouldBeClose(before.Encode(image).PatchTokens[3], type == WeightType.Float32 ? 0 : type == WeightType.Float16 ? 0.02 : 0.2, $"{type}");
        using var text = converted.LoadText()!;
        text.Tower.Encode(torch.tensor(text.Tokenizer.Encode("a bolt")).unsqueeze(0)).isfinite().all().ToBoolean().Should().BeTrue();
    }

    [Fact]
    public void Convert_PyTorchFile_GivesTheSameBytesAsSafetensors()
    {
        TinyBackbones.WritePyTorch(In("clip.pt"), clip, under: "state_dict");
        BackboneConverter.Convert(In("clip.pt"), In("one"));
        BackboneConverter.Convert(In("clip.safetensors"), In("other"));
        ShouldBeTheSame(In("one"), In("other"), except: BackboneManifest.FileName);
    }

    [Fact]
    public void Convert_ModelRepositoryDirectory_TakesItsWeights()
    {
        Directory.CreateDirectory(In("repository"));
        File.Move(In("clip.safetensors"), In("repository/open_clip_model.safetensors"));
        File.WriteAllText(In("repository/open_clip_config.json"), """{"model_cfg":{"text_cfg":{"heads":2},"quick_gelu":true}}""");
        BackboneConverter.Convert(In("repository"), In("made")).HasVocabulary.Should().BeFalse("it was not in the repository");
        var manifest = BackboneManifest.Read(In("made"));
        manifest.TextConfiguration!.Heads.Should().Be(2);
        manifest.VisionConfiguration.Activation.Should().Be(Activation.QuickGelu);
    }

    [Fact]
    public void Convert_StoppedAnywhere_LeavesNothingAndGoesOnToTheSameBytes()
    {
        BackboneConverter.Convert(In("clip.safetensors"), In("whole"));
        var steps = 0;
        BackboneConverter.Convert(In("clip.safetensors"), In("counted"), progress: new Direct((_, _) => steps++));
        for (var stop = 1; stop < steps; stop += 7)
        {
            using var cancellation = new CancellationTokenSource();
            var seen = 0;
            FluentActions.Invoking(() => BackboneConverter.Convert(In("clip.safetensors"), In("made"), progress: new Direct((_, _) => Stop(++seen == stop, cancellation)), cancellation: cancellation.Token))
                .Should().Throw<OperationCanceledException>();
            Directory.Exists(In("made")).Should().BeFalse();

            // A kill may leave half a tensor.
            var unfinished = Directory.GetFiles(In("made.partial"), "*.partial").Single();
            using (var file = File.Open(unfinished, FileMode.Append))
            {
                file.Write([1, 2, 3]);
            }

            var reports = new List<(long Done, long Total)>();
            BackboneConverter.Convert(In("clip.safetensors"), In("made"), progress: new Direct((done, total) => reports.Add((done, total))));
            reports.Select(report => report.Done).Should().BeInAscendingOrder();
            reports[^1].Done.Should().Be(reports[^1].Total);
            ShouldBeTheSame(In("made"), In("whole"));
            Directory.Exists(In("made.partial")).Should().BeFalse();
            Directory.Delete(In("made"), recursive: true);
        }
    }

    [Fact]
    public void Convert_SourceChangedMeanwhile_StartsAnew()
    {
        Cancelled(In("clip.safetensors"), WeightType.Float16);
        Cancelled(In("clip.safetensors"), WeightType.BFloat16);
        TinyBackbones.WriteSafetensors(In("clip.safetensors"), TinyBackbones.Clip(2));
        BackboneConverter.Convert(In("clip.safetensors"), In("made"), WeightType.BFloat16);
        BackboneConverter.Convert(In("clip.safetensors"), In("whole"), WeightType.BFloat16);
        ShouldBeTheSame(In("made"), In("whole"));
    }

    [Fact]
    public void Convert_DestinationInUse_TouchesNothing()
    {
        Directory.CreateDirectory(In("made"));
        File.WriteAllText(In("made/mine.txt"), "mine");
        FluentActions.Invoking(() => BackboneConverter.Convert(In("clip.safetensors"), In("made"))).Should().Throw<IOException>().WithMessage("*exists already*");
        Directory.CreateDirectory(In("other.partial"));
        File.WriteAllText(In("other.partial/mine.txt"), "mine");
        FluentActions.Invoking(() => BackboneConverter.Convert(In("clip.safetensors"), In("other"))).Should().Throw<IOException>().WithMessage("*not of an earlier conversion*");
        File.ReadAllText(In("made/mine.txt")).Should().Be(File.ReadAllText(In("other.partial/mine.txt"))).And.Be("mine");
    }

    [Fact]
    public void Convert_ValuesBeyondFloat16_SaysWhichTypeHoldsThem()
    {
        clip["visual.ln_post.bias"].fill_(1e6);
        TinyBackbones.WriteSafetensors(In("clip.safetensors"), clip);
        FluentActions.Invoking(() => BackboneConverter.Convert(In("clip.safetensors"), In("made"))).Should().Throw<CheckpointFormatException>().WithMessage("*'norm.bias'*65504*BFloat16*");
        Directory.Exists(In("made")).Should().BeFalse();
        BackboneConverter.Convert(In("clip.safetensors"), In("made"), WeightType.BFloat16);
    }

    [Theory]
    [InlineData("vision.safetensors")]
    [InlineData("text.safetensors")]
    public void Load_FileChangedAfterwards_IsRefused(string name)
    {
        BackboneConverter.Convert(In("clip.safetensors"), In("made"));
        var bytes = File.ReadAllBytes(In($"made/{name}"));
        bytes[^5] ^= 1;
        File.WriteAllBytes(In($"made/{name}"), bytes);
        var source = BackboneSources.Open(In("made"), []);
        Action load = name.StartsWith('v') ? () => source.LoadVision(torch.ScalarType.Float32, false).Dispose() : () => source.LoadText()!.Dispose();
        load.Should().Throw<CheckpointFormatException>().WithMessage($"*{name}*SHA-256*");
        FluentActions.Invoking(() => BackboneDescription.Read(In("made"))).Should().Throw<CheckpointFormatException>().WithMessage($"*{name}*SHA-256*");
        File.Delete(In($"made/{name}"));
        load.Should().Throw<CheckpointFormatException>().WithMessage($"*'{name}' is missing*");
    }

    [Theory]
    [InlineData("format", "\"other\"", "*expected format*")]
    [InlineData("version", "2", "*version 2*")]
    [InlineData("version", "\"one\"", "*damaged*")]
    [InlineData("vision.fileName", "\"../vision.safetensors\"", "*file name beside it*")]
    [InlineData("vision.fileName", "\"\"", "*file name beside it*")]
    [InlineData("visionConfiguration.width", "0", "*damaged*")]
    [InlineData("visionConfiguration.heads", "7", "*damaged*")]
    [InlineData("visionConfiguration.depth", "2000000000", "*damaged*")]
    [InlineData("visionConfiguration.activation", "\"Tanh\"", "*damaged*")]
    [InlineData("textConfiguration.vocabularySize", "-1", "*damaged*")]
    public void Open_HostileManifest_IsRefused(string field, string value, string message)
    {
        BackboneConverter.Convert(In("clip.safetensors"), In("made"));
        var path = In($"made/{BackboneManifest.FileName}");
        var manifest = JsonNode.Parse(File.ReadAllText(path))!;
        var parts = field.Split('.');
        (parts.Length == 2 ? manifest[parts[0]]! : manifest)[parts[^1]] = JsonNode.Parse(value);
        File.WriteAllText(path, manifest.ToJsonString());
        FluentActions.Invoking(() => BackboneSources.Open(In("made"), [])).Should().Throw<CheckpointFormatException>().WithMessage(message);
    }

    [Fact]
    public void Open_ManifestOfAnotherSize_IsRefusedBeforeAnythingIsRead()
    {
        BackboneConverter.Convert(In("clip.safetensors"), In("made"));
        var path = In($"made/{BackboneManifest.FileName}");
        var manifest = JsonNode.Parse(File.ReadAllText(path))!;
        manifest["visionConfiguration"]!["mlpWidth"] = 256;
        File.WriteAllText(path, manifest.ToJsonString());
        FluentActions.Invoking(() => BackboneSources.Open(In("made"), []).LoadVision(torch.ScalarType.Float32, false)).Should().Throw<CheckpointMismatchException>().WithMessage("*blocks.0.fc1.weight: expected [256, 64], got [128, 64]*");
    }

    [Fact]
    public void LoadText_VocabularyOfAnotherModel_IsRefused()
    {
        File.WriteAllText(In("merges.txt"), "#version: 0.2\na b\n");
        FluentActions.Invoking(() => BackboneSources.Open(In("clip.safetensors"), []).LoadText()).Should().Throw<KagPromptException>();
        File.Delete(In("merges.txt"));
        FluentActions.Invoking(() => BackboneSources.Open(In("clip.safetensors"), []).LoadText()).Should().Throw<KagPromptException>().WithMessage("*no vocabulary*bpe_simple_vocab_16e6.txt.gz*");
    }

    [Fact]
    public void Open_NoSuchBackbone_SaysWhereItLooked()
        => FluentActions.Invoking(() => BackboneSources.Open("nowhere", [folder])).Should().Throw<ArgumentException>().WithMessage($"*'nowhere'*{In("nowhere")}*");

    [Fact]
    public void Open_NameInAFolder_FindsIt()
    {
        BackboneConverter.Convert(In("clip.safetensors"), In("made"));
        BackboneSources.Open("made", [folder]).Location.Should().Be(In("made"));
    }

    [Fact]
    public void Open_AuthorsGraphPrompt_SaysWhatItIs()
    {
        TinyBackbones.WriteSafetensors(In("train_on_mvtec.pt"), new Dictionary<string, torch.Tensor> { ["image_decoder.fc.0.weight"] = torch.zeros(2, 2), ["aGNN.gate.weight"] = torch.zeros(1, 2, 1, 1) });
        FluentActions.Invoking(() => BackboneDescription.Read(In("train_on_mvtec.pt"))).Should().Throw<CheckpointMismatchException>().WithMessage("*graph prompt*Prompt.CheckpointPath*");
    }

    public void Dispose()
    {
        scope.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private string In(string name) => Path.Combine(folder, name);

    private void Cancelled(string source, WeightType type)
    {
        using var cancellation = new CancellationTokenSource();
        FluentActions.Invoking(() => BackboneConverter.Convert(source, In("made"), type, new Direct((_, _) => Stop(true, cancellation)), cancellation.Token)).Should().Throw<OperationCanceledException>();
    }

    private static void Stop(bool now, CancellationTokenSource cancellation)
    {
        if (now)
        {
            cancellation.Cancel();
        }
    }

    private static void ShouldBeTheSame(string one, string other, string? except = null)
    {
        static string[] Names(string folder) => [.. Directory.GetFiles(folder).Select(file => Path.GetFileName(file)!).Order(StringComparer.Ordinal)];
        Names(one).Should().Equal(Names(other));
        foreach (var name in Names(one).Where(name => name != except))
        {
            File.ReadAllBytes(Path.Combine(one, name)).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(other, name))).Should().BeTrue(name);
        }
    }

    private sealed class Direct(Action<long, long> report) : IProgress<(long Done, long Total)>
    {
        public void Report((long Done, long Total) value) => report(value.Done, value.Total);
    }
}
