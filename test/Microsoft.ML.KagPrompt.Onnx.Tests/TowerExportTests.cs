using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Backbones.Compact;
using Microsoft.ML.KagPrompt.Backbones.Residual;
using Microsoft.ML.KagPrompt.Backbones.Vit;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using TorchSharp;
using static Microsoft.ML.KagPrompt.Onnx.Schema.TensorProto.Types;

namespace Microsoft.ML.KagPrompt.Onnx.Tests;

/// <summary>Vision towers of random weights in ONNX, of every kind of block.</summary>
public class TowerExportTests
{
    private static readonly VisionTransformerConfig Vit = new()
    {
        Width = 32, Depth = 4, Heads = 2, MlpWidth = 48, PatchSize = 8, ImageSize = 40, JointWidth = 16
    };

    private static readonly ResidualNetworkConfig Residual = new() { StemWidth = 8, StageWidths = [8, 16, 24], StageBlocks = [1, 2, 1], ImageSize = 64 };

    private static readonly Dictionary<string, (Func<IVisionTower> Tower, int Side)> Towers = new()
    {
        ["CLIP's"] = (() => Transformer(Vit with { Activation = Activation.QuickGelu }), 40),
        ["positions of another grid"] = (() => Transformer(Vit with { StemBias = true, NormBeforeTrunk = false, Resampling = PositionResampling.BicubicAntialias }), 72),
        ["DINOv2's"] = (() => Transformer(Vit with { LayerScale = true, Head = false, JointWidth = 32, Activation = Activation.SwiGlu, Registers = 3, Epsilon = 1e-3 }), 40),
        ["residual"] = (() => Network(Residual), 64),
        ["residual of bottlenecks, its prompt's cells hanging over"] = (() => Network(Residual with { MiddleWidths = [4, 8, 8], PromptStep = 16, EmbeddingWidth = 12, EmbeddingHidden = 20 }), 88),
        ["residual with tiles of four"] = (() => Network(Residual with { Taps = [1, 3], Step = 16 }), 96),
        ["compact"] = (() => Compact(new() { StemWidth = 8, StageWidths = [8, 12, 16, 16], StageBlocks = [1, 0, 1, 1], TapWidths = [4, 5, 6, 7], JointWidth = 9, EmbeddingHidden = 11 }), 70),
    };

    public static TheoryData<string> Names => [.. Towers.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Emit_Of_EncodesAsTheTower(string name)
    {
        var (make, side) = Towers[name];
        using var tower = make();
        using var scope = torch.NewDisposeScope();
        var images = Images(side);
        using var expected = tower.Encode(images);
        Check(images, [.. expected.PatchTokens, .. expected.PromptTokens, expected.ImageEmbedding], input =>
        {
            var values = ((IVisionGraph)tower).Emit(input, side);
            return [.. values.PatchTokens, .. values.PromptTokens, values.ImageEmbedding];
        });
    }

    [Fact]
    public void EmitWindows_OfRegisters_EncodesAsTheTower()
    {
        using var tower = Transformer(Vit with { Registers = 2 });
        using var scope = torch.NewDisposeScope();
        var (images, windows) = (Images(56), new long[,] { { 0, 1, 7, 8 }, { 3, 4, 10, 11 }, { 40, 41, 47, 48 } });
        using var expected = tower.EncodeWindows(images, [torch.tensor(windows)]);
        Check(images, [expected.ImageEmbedding, expected.PatchTokens, .. expected.Windows], input =>
        {
            var values = tower.EmitWindows(input, 56, [windows]);
            return [values.ImageEmbedding, values.PatchTokens, .. values.Windows];
        });
    }

    [Theory]
    [InlineData(3)]
    [InlineData(14)]
    public void EmitValuePath_OfFewAndOfManyBlocks_EncodesAsTheTower(int depth)
    {
        using var tower = Transformer(Vit with { Depth = depth, LayerScale = true });
        using var scope = torch.NewDisposeScope();
        var images = Images(40);
        using var expected = tower.EncodeValuePath(images, [0, depth - 1]);
        Check(images, [expected.ImageEmbedding, expected.PatchEmbeddings, .. expected.Attended], input =>
        {
            var values = tower.EmitValuePath(input, 40, [0, depth - 1]);
            return [values.ImageEmbedding, values.PatchEmbeddings, .. values.Attended];
        });
    }

    private static void Check(torch.Tensor images, torch.Tensor[] expected, Func<OnnxValue, OnnxValue[]> emit)
    {
        using var graph = new OnnxGraph();
        var values = emit(graph.Input("image", DataType.Float, "N", 3, (int)images.shape[2], (int)images.shape[3]));
        foreach (var (i, value) in values.Index())
        {
            graph.Output($"out{i}", value, DataType.Float, [.. expected[i].shape.Select((length, axis) => axis == 0 ? (OnnxSide)"N" : (int)length)]);
        }

        using var stream = new MemoryStream();
        OnnxFile.Write(stream, graph, new Dictionary<string, string>());
        using var session = new InferenceSession(stream.ToArray());
        using var outputs = session.Run([NamedOnnxValue.CreateFromTensor("image", new DenseTensor<float>(images.data<float>().ToArray(), [.. images.shape.Select(length => (int)length)]))]);
        foreach (var (i, tensor) in expected.Index())
        {
            var got = outputs.First(output => output.Name == $"out{i}").AsTensor<float>();
            got.Dimensions.ToArray().Should().Equal(tensor.shape.Select(length => (int)length), $"output {i}");
            var (own, reference) = (got.ToArray(), tensor.contiguous().data<float>().ToArray());
            var scale = reference.Max(Math.Abs);
            own.Zip(reference).Max(pair => Math.Abs(pair.First - pair.Second)).Should().BeLessThan(1e-5f * Math.Max(1, scale), $"output {i}");
        }
    }

    private static torch.Tensor Images(int side)
    {
        using var random = new torch.Generator(5);
        return torch.randn([2, 3, side, side], generator: random);
    }

    private static VisionTransformer Transformer(VisionTransformerConfig config) => new(config, Weights(VisionTransformer.Shapes(config)));

    private static ResidualNetwork Network(ResidualNetworkConfig config) => new(config, Weights(ResidualNetwork.Shapes(config)));

    private static CompactVisionTower Compact(CompactVisionConfig config) => new(config, Weights(CompactVisionTower.Shapes(config)));

    private static WeightSet Weights(IReadOnlyDictionary<string, long[]> shapes)
    {
        using var random = new torch.Generator(3);
        return new(shapes.ToDictionary(entry => entry.Key, entry => torch.randn(entry.Value, generator: random).mul_(entry.Value.Length > 1 ? 1 / MathF.Sqrt(entry.Value.Skip(1).Aggregate(1f, (product, length) => product * length)) : 0.5f)));
    }
}
