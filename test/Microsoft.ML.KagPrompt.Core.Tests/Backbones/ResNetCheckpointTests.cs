using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Backbones.Residual;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;
using static TorchSharp.torch.nn;

namespace Microsoft.ML.KagPrompt.Tests.Backbones;

/// <summary>
/// State dicts under torchvision's names against the same network in plain operations, batch normalisation unfolded, in 64 bit.
/// </summary>
public sealed class ResNetCheckpointTests : IDisposable
{
    private readonly DisposeScope scope = torch.NewDisposeScope();
    private readonly string folder = Directory.CreateTempSubdirectory("resnet-").FullName;

    /// <summary>Blocks of the stages, the width of the first, channels in the middle of its blocks (0: plain blocks).</summary>
    public static TheoryData<int[], int, int> Kinds => new()
    {
        { [1, 1, 1, 1], 8, 0 },
        { [2, 3, 1, 2], 16, 0 },
        { [1, 2, 1, 1], 16, 4 },
        { [1, 1, 2, 1], 8, 8 },
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void EncodeStages_RandomStateDict_EqualsPlainOperations(int[] blocks, int width, int middle)
    {
        var dict = StateDict(blocks, width, middle);
        using var tower = (ResidualNetwork)BackboneSources.Open(Write(dict), []).LoadVision(torch.ScalarType.Float32, roundToHalf: false);
        foreach (var side in (int[])[64, 72])
        {
            var images = torch.randn([2, 3, side, side]);
            var expected = Plain(dict, images.to(torch.ScalarType.Float64), blocks);
            var stages = tower.EncodeStages(images);
            stages.Should().HaveCount(4);
            for (var i = 0; i < 4; i++)
            {
                stages[i].ShouldBeClose(expected[i], 1e-4, $"stage {i + 1}, side {side}");
                stages[i].shape[^1].Should().Be(((IStageTower)tower).Stages[i].Side(side), "grids are where methods look for them");
            }

            using var features = tower.Encode(images);
            var mean = expected[3].mean([2, 3]);
            features.ImageEmbedding.ShouldBeClose(mean / mean.norm(1, keepdim: true), 1e-4, "the last stage's mean, at unit length");
            features.PatchTokens.Should().HaveCount(3, "the first three stages are tapped");
        }
    }

    [Theory]
    [InlineData("torchvision-resnet18", new[] { 2, 2, 2, 2 }, 64, 0, 11_176_512 - 4800)]
    [InlineData("torchvision-resnet34", new[] { 3, 4, 6, 3 }, 64, 0, 0)]
    [InlineData("torchvision-resnet50", new[] { 3, 4, 6, 3 }, 256, 64, 0)]
    [InlineData("torchvision-resnet101", new[] { 3, 4, 23, 3 }, 256, 64, 0)]
    [InlineData("torchvision-wide-resnet50-2", new[] { 3, 4, 6, 3 }, 256, 128, 0)]
    public void Read_ShapesOfAPublishedOne_TellsWhich(string name, int[] blocks, int width, int middle, int convolutionsAndBiases)
    {
        using var source = new ShapesOnly(Shapes(blocks, width, middle, stem: 64));
        var config = ResNetLayout.Read(source);
        ResNetLayout.NameOf(config).Should().Be(name);
        config.StageWidths.Should().Equal(width, 2 * width, 4 * width, 8 * width);
        if (convolutionsAndBiases > 0)
        {
            // 11 176 512 is torchvision's count without the classifier, 9 600 of it normalisations' scales and shifts, of which the
            // shifts stay.
            ResidualNetwork.Shapes(config).Values.Sum(shape => shape.Aggregate(1L, (product, size) => product * size)).Should()
                .Be(convolutionsAndBiases);
        }
    }

    [Fact]
    public void Open_NamesMissingAndMisshaped_ListsThem()
    {
        var dict = StateDict([1, 1, 1, 1], 8, 0);
        dict.Remove("layer3.0.bn2.running_var");
        dict["layer2.0.conv1.weight"] = torch.zeros(16, 4, 3, 3);
        dict["layer4.0.se.weight"] = torch.zeros(3);
        FluentActions.Invoking(() => BackboneSources.Open(Write(dict), [])).Should().Throw<CheckpointMismatchException>()
            .WithMessage("*layer3.0.bn2.running_var*layer4.0.se.weight*layer2.0.conv1.weight: expected [16, 8, 3, 3], got [16, 4, 3, 3]*");
    }

    [Fact]
    public void Open_GroupedConvolutions_AreRefused()
    {
        var dict = StateDict([1, 1, 1, 1], 16, 4);
        dict["layer1.0.conv2.weight"] = torch.zeros(4, 2, 3, 3);
        FluentActions.Invoking(() => BackboneSources.Open(Write(dict), [])).Should().Throw<CheckpointMismatchException>()
            .WithMessage("*layer1.0.conv2.weight: expected [4, 4, 3, 3], got [4, 2, 3, 3]*");
    }

    [Fact]
    public void Convert_IsRefused_SayingThatItIsUsedAsItIs()
        => FluentActions.Invoking(
            () => BackboneConverter.Convert(Write(StateDict([1, 1, 1, 1], 8, 0)), Path.Combine(folder, "converted"))).Should()
            .Throw<CheckpointMismatchException>().WithMessage("*used as it is*");

    [Theory]
    [InlineData("patchcore", BackboneStorage.Refer)]
    [InlineData("spade", BackboneStorage.Refer)]
    [InlineData("spade", BackboneStorage.Embed)]
    [InlineData("kag", BackboneStorage.Auto)]
    public void Fit_OnAFile_SavesAndLoads(string method, BackboneStorage storage)
    {
        var path = Write(StateDict([1, 1, 1, 1], 16, 4));
        var chosen = InspectionMethods.Default(method);
        var options = new InspectionOptions
        {
            Method = chosen is KagOptions kag ? kag with { Training = new() { Epochs = 0 } } : chosen,
            Backbone = new() { Name = path, Storage = storage },
            Images = new() { Size = 64 },
            Device = "cpu",
        };
        using var model = KagPromptTrainer
            .Fit(Enumerable.Range(0, 2).Select(seed => new TrainingImage { Image = TestImages.Part(64, 64, seed) }), options);
        using var stream = new MemoryStream();
        model.Save(stream);
        stream.Position = 0;
        using var again = KagPromptModel.Load(stream, "cpu", [folder]);
        again.Inspect(TestImages.Part(64, 64, 5, defective: true)).Score.Should()
            .Be(model.Inspect(TestImages.Part(64, 64, 5, defective: true)).Score);
        BackboneDescription.Read(path).Should().Match<BackboneDescription>(described => described.Family == "ResNet" && !described.HasText);
    }

    public void Dispose()
    {
        scope.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private string Write(IReadOnlyDictionary<string, torch.Tensor> dict)
    {
        var path = Path.Combine(folder, "resnet.safetensors");
        TinyBackbones.WriteSafetensors(path, dict);
        return path;
    }

    /// <summary>Names and shapes as torchvision has them.</summary>
    private static Dictionary<string, long[]> Shapes(int[] blocks, long width, long middle, long stem)
    {
        var shapes = new Dictionary<string, long[]> { ["fc.weight"] = [10, 8 * width], ["fc.bias"] = [10] };
        void Convolution(string convolution, string norm, long outputs, long inputs, long side)
        {
            shapes[$"{convolution}.weight"] = [outputs, inputs, side, side];
            foreach (var part in new[] { "weight", "bias", "running_mean", "running_var" })
            {
                shapes[$"{norm}.{part}"] = [outputs];
            }

            shapes[$"{norm}.num_batches_tracked"] = [];
        }

        Convolution("conv1", "bn1", stem, 3, 7);
        var inputs = stem;
        for (var stage = 1; stage <= 4; stage++)
        {
            var (outputs, inner) = (width << (stage - 1), middle << (stage - 1));
            for (var block = 0; block < blocks[stage - 1]; block++)
            {
                var name = $"layer{stage}.{block}";
                if (middle == 0)
                {
                    Convolution($"{name}.conv1", $"{name}.bn1", outputs, inputs, 3);
                    Convolution($"{name}.conv2", $"{name}.bn2", outputs, outputs, 3);
                }
                else
                {
                    Convolution($"{name}.conv1", $"{name}.bn1", inner, inputs, 1);
                    Convolution($"{name}.conv2", $"{name}.bn2", inner, inner, 3);
                    Convolution($"{name}.conv3", $"{name}.bn3", outputs, inner, 1);
                }

                if (block == 0 && (stage > 1 || inputs != outputs))
                {
                    Convolution($"{name}.downsample.0", $"{name}.downsample.1", outputs, inputs, 1);
                }

                inputs = outputs;
            }
        }

        return shapes;
    }

    private static Dictionary<string, torch.Tensor> StateDict(int[] blocks, int width, int middle)
    {
        using var random = new torch.Generator(7);
        return Shapes(blocks, width, middle, stem: 8).ToDictionary(entry => entry.Key, entry
            => entry.Key.EndsWith("num_batches_tracked", StringComparison.Ordinal) ? torch.tensor(100L)
            : entry.Key.EndsWith("running_var", StringComparison.Ordinal) ? torch.rand(entry.Value, generator: random) + 0.1f
            : torch.randn(entry.Value, generator: random) * (
                entry.Value.Length == 4 ? 1 / MathF.Sqrt(entry.Value[1..].Aggregate(1L, (product, size) => product * size)) : 0.5f));
    }

    /// <summary>The stages' maps, written down apart from the library: convolution, then normalisation by its running figures.</summary>
    private static torch.Tensor[] Plain(Dictionary<string, torch.Tensor> dict, torch.Tensor images, int[] blocks)
    {
        torch.Tensor At(string name) => dict[name].to(torch.ScalarType.Float64);
        torch.Tensor Normalised(torch.Tensor x, string convolution, string norm, long stride)
        {
            var kernel = At($"{convolution}.weight");
            x = functional.conv2d(x, kernel, strides: [stride, stride], padding: [kernel.shape[2] / 2, kernel.shape[2] / 2]);
            torch.Tensor Channel(string part) => At($"{norm}.{part}").view(1, -1, 1, 1);
            return ((x - Channel("running_mean")) / (Channel("running_var") + 1e-5).sqrt() * Channel("weight")) + Channel("bias");
        }

        var x = functional.max_pool2d(Normalised(images, "conv1", "bn1", 2).relu(), 3, 2, 1);
        var maps = new torch.Tensor[4];
        for (var stage = 1; stage <= 4; stage++)
        {
            for (var block = 0; block < blocks[stage - 1]; block++)
            {
                var (name, stride) = ($"layer{stage}.{block}", stage > 1 && block == 0 ? 2 : 1);
                var shortcut = dict.ContainsKey($"{name}.downsample.0.weight")
                    ? Normalised(x, $"{name}.downsample.0", $"{name}.downsample.1", stride) : x;
                // The stride is the 3 × 3 convolution's, in blocks of three as in blocks of two.
                var inner = dict.ContainsKey($"{name}.conv3.weight")
                    ? Normalised(Normalised(Normalised(x, $"{name}.conv1", $"{name}.bn1", 1).relu(), $"{name}.conv2", $"{name}.bn2",
                        stride).relu(), $"{name}.conv3", $"{name}.bn3", 1)
                    : Normalised(Normalised(x, $"{name}.conv1", $"{name}.bn1", stride).relu(), $"{name}.conv2", $"{name}.bn2", 1);
                x = (inner + shortcut).relu();
            }

            maps[stage - 1] = x;
        }

        return maps;
    }

    private sealed class ShapesOnly(Dictionary<string, long[]> shapes) : ITensorSource
    {
        public string Origin => "shapes";

        public IReadOnlyDictionary<string,
            TensorInfo> Entries { get; } = shapes
            .ToDictionary(entry => entry.Key, entry => new TensorInfo(entry.Key, torch.ScalarType.Float32, entry.Value));

        public IReadOnlyDictionary<string, string> Metadata { get; } = new Dictionary<string, string>();

        public bool ReadsInParallel => false;

        public torch.Tensor Read(string name) => throw new NotSupportedException();

        public void Dispose() { }
    }
}
