using System.Globalization;
using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Backbones.Published.Layouts;
using Microsoft.ML.KagPrompt.Backbones.Vit;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Methods.Kag;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Gpu;

/// <summary>The golden values of the method and of its towers, computed on a CUDA device.</summary>
[Trait("Category", "Gpu")]
[Collection(nameof(ModelsOnGpuTests))]
public sealed class GoldenOnGpuTests : IDisposable
{
    private readonly DisposeScope scope = torch.NewDisposeScope();

    [SkippableFact]
    public void Score_OfThePaper_EqualsGolden()
    {
        GraphicsCard.Require();
        using var file = SafetensorsFile.Open(SharedFiles.Golden("kag_paper_tiny.safetensors"));
        using var noGradients = torch.no_grad();
        var tokens = Layers(file, "patch_tokens.");
        var embedding = There(file.Read("class_embedding"));
        var text = There(file.Read("text_features"));
        var side = (int)file.Entries["map"].Shape[^1];
        using var prompt = GraphPrompt.Read(
            new GraphPromptConfig
            {
                TapWidths = [.. Enumerable.Range(0, 4).Select(i => (int)file.Entries[$"weights.projection.{i}.weight"].Shape[1])],
                JointWidth = (int)file.Entries["weights.projection.0.weight"].Shape[0],
                Iterations = Number(file, "iterations"),
            },
            new PrefixedTensors(file, "weights."));
        prompt.MoveTo(GraphicsCard.Device);
        var nodes = prompt.Nodes(tokens);
        for (var i = 0; i < 4; i++)
        {
            nodes[i].device_type.Should().Be(DeviceType.CUDA);
            nodes[i].ShouldBeClose(file.Read($"node_output.{i}"), TensorAssertions.StageTolerance, $"node_output.{i}");
        }

        var options = new KagOptions
        {
            Coreset = CoresetOptions.Off,
            Fusion = ScoreFusion.Paper with { Gamma = float.Parse(file.Metadata["gamma"], CultureInfo.InvariantCulture), TopK = Number(file, "top_k") },
        };
        using var method = KagParts.Method(options, prompt, (int)Math.Sqrt(tokens[0].shape[1]), side, GraphicsCard.Device);
        using var reference = method.BuildReference([[.. Layers(file, "bank.").Select(layer => layer.unsqueeze(0))]], text);
        using var features = new ScoringFeatures(new VisionFeatures(tokens, embedding), null);
        var (map, score, _) = method.Score(features, reference);
        map.ShouldBeClose(file.Read("map"), TensorAssertions.StageTolerance, "map");
        score.ShouldBeClose(file.Read("score"), TensorAssertions.StageTolerance, "score");
        prompt.ImageSimilarities(embedding, text).ShouldBeClose(file.Read("s1_normal_abnormal"), TensorAssertions.StageTolerance, "s1");
    }

    [SkippableFact]
    public void Losses_OfThePaperAndTheirGradients_EqualGoldenAndTheProcessors()
    {
        GraphicsCard.Require();
        using var file = SafetensorsFile.Open(SharedFiles.Golden("kag_paper_tiny.safetensors"));
        using var map = file.Read("map");
        var side = (int)map.shape[^1];
        float[] Values(torch.Device device)
        {
            var logits = torch.linspace(-2, 2, 2 * 2).view(2, 2).to(device).requires_grad_();
            var maps = torch.linspace(0.01, 0.99, 4 * 2 * side * side).view(4, 2, side, side).to(device).requires_grad_();
            var half = (torch.arange(side).unsqueeze(1) < side / 2).expand(side, side).to_type(torch.ScalarType.Float32);
            var masks = torch.stack([half, half.mul(0)]).to(device);
            var labels = torch.tensor([1L, 0L]).to(device);
            var losses = Losses.Paper(logits, maps, masks, labels, 1, 1);
            losses.Total.backward();
            return [losses.CrossEntropy.item<float>(), losses.Focal.item<float>(), losses.Dice.item<float>(),
                .. logits.grad!.cpu().data<float>().ToArray(), .. maps.grad!.cpu().data<float>().ToArray()];
        }

        var (here, there) = (Values(torch.CPU), Values(GraphicsCard.Device));
        there.Should().HaveCount(here.Length);
        here.Zip(there, (a, b) => Math.Abs(a - b)).Max().Should().BeLessThan(1e-5f);
        here.Skip(3).Max(Math.Abs).Should().BeGreaterThan(1e-4f, "gradients of zero would agree by themselves");
    }

    [SkippableFact]
    public void Towers_TinyImageBind_EqualGolden()
    {
        GraphicsCard.Require();
        using var golden = SafetensorsFile.Open(SharedFiles.Golden("imagebind_tiny_io.safetensors"));
        using var checkpoint = PyTorchCheckpoint.Open(SharedFiles.Golden("imagebind_tiny.pth"));
        using var noGradients = torch.no_grad();
        var hints = new LayoutHints { VisionHeads = Number(golden, "vision_heads"), TextHeads = Number(golden, "text_heads") };
        var layout = KnownLayouts.Recognise(checkpoint, hints);
        using var vision = new VisionTransformer(layout.Vision,
            WeightSet.Read(VisionTransformer.Shapes(layout.Vision), new MappedTensors(checkpoint, layout.VisionRules)));
        using var text = new TextTransformer(layout.Text!,
            WeightSet.Read(TextTransformer.Shapes(layout.Text!), new MappedTensors(checkpoint, layout.TextRules)));
        vision.MoveTo(GraphicsCard.Device);
        text.MoveTo(GraphicsCard.Device);
        using var features = vision.Encode(There(golden.Read("image")));
        for (var i = 0; i < features.PatchTokens.Count; i++)
        {
            features.PatchTokens[i].ShouldBeClose(golden.Read($"patch_tokens.{i}"), TensorAssertions.StageTolerance, $"patch_tokens.{i}");
        }

        features.ImageEmbedding.ShouldBeClose(golden.Read("vision_embedding"), TensorAssertions.StageTolerance, "vision_embedding");
        var expected = golden.Read("text_embedding");
        text.Encode(There(golden.Read("tokens")))
            .ShouldBeClose(expected, TensorAssertions.StageTolerance * Math.Max(1, expected.abs().max().ToSingle()), "text_embedding");
    }

    public void Dispose() => scope.Dispose();

    private static int Number(SafetensorsFile file, string name) => int.Parse(file.Metadata[name], CultureInfo.InvariantCulture);

    private static torch.Tensor There(torch.Tensor tensor) => tensor.to(GraphicsCard.Device);

    private static torch.Tensor[] Layers(SafetensorsFile file, string prefix)
        => [.. Enumerable.Range(0, 4).Select(i => There(file.Read(prefix + i)))];
}
