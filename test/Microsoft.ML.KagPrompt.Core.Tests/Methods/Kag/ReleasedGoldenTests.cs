using System.Globalization;
using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Backbones.Published.Layouts;
using Microsoft.ML.KagPrompt.Backbones.Vit;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Methods.Kag;
using Microsoft.ML.KagPrompt.Methods.Kag.Released;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Methods.Kag;

/// <summary>Every stage of the Released variant against what the authors' code computed.</summary>
[Trait("Category", "Golden")]
public sealed class ReleasedGoldenTests : IDisposable
{
    private readonly DisposeScope scope = torch.NewDisposeScope();

    [SkippableFact]
    public void Scores_AuthorsCheckpoint_EveryStageEqualsGolden()
    {
        using var golden = SafetensorsFile.Open(SharedFiles.Golden("kag_released_tiny_io.safetensors"));
        using var inputs = SafetensorsFile.Open(SharedFiles.Golden("imagebind_tiny_io.safetensors"));
        using var head = PyTorchCheckpoint.Open(SharedFiles.Golden("kag_released_tiny.pth"));
        using var backbone = PyTorchCheckpoint.Open(SharedFiles.Golden("imagebind_tiny.pth"));
        using var noGradients = torch.no_grad();
        var layout = KnownLayouts.Recognise(backbone, new LayoutHints { VisionHeads = Number(inputs, "vision_heads"), TextHeads = Number(inputs, "text_heads") });
        using var vision = new VisionTransformer(layout.Vision, WeightSet.Read(VisionTransformer.Shapes(layout.Vision), new MappedTensors(backbone, layout.VisionRules)));
        using var prompt = ReleasedCheckpoint.Read(head, Number(golden, "iterations"));
        using var features = vision.Encode(inputs.Read("image"));
        using var supports = vision.Encode(golden.Read("support"));
        var text = golden.Read("text_features");
        var side = (int)golden.Entries["map"].Shape[^1];
        var gamma = float.Parse(golden.Metadata["gamma"], CultureInfo.InvariantCulture);

        var nodes = prompt.Nodes(features.PatchTokens);
        for (var i = 0; i < 4; i++)
        {
            nodes[i].ShouldBeClose(golden.Read($"graph.{i}").flatten(2).transpose(1, 2), TensorAssertions.StageTolerance, $"graph.{i}");
            nodes[4 + i].ShouldBeClose(golden.Read($"multi_kernel.{i}").flatten(2).transpose(1, 2), TensorAssertions.StageTolerance, $"multi_kernel.{i}");
        }

        var maps = PromptMap.PerLayer(nodes, text, side, GraphVariant.Released);
        maps[0][0].ShouldBeClose(golden.Read("layer_map.0")[0][1], TensorAssertions.StageTolerance, "layer_map.0");
        maps[4][0].ShouldBeClose(golden.Read("layer_map.4")[0][1], TensorAssertions.StageTolerance, "layer_map.4");
        var promptMap = PromptMap.Average(nodes, text, side, GraphVariant.Released);
        promptMap.ShouldBeClose(golden.Read("map_text"), TensorAssertions.StageTolerance, "map_text");

        using var bank = MemoryBank.Build([supports.PatchTokens]);
        var memoryMap = MemoryMap.FromDistances(bank.Distances(features.PatchTokens), side, GraphVariant.Released);
        memoryMap.ShouldBeClose(golden.Read("map_memory"), TensorAssertions.StageTolerance, "map_memory");
        var map = MapFusion.Fuse(promptMap, memoryMap, gamma);
        map.ShouldBeClose(golden.Read("map"), TensorAssertions.StageTolerance, "map");
        var similarities = prompt.ImageSimilarities(features.ImageEmbedding, text);
        similarities.ShouldBeClose(golden.Read("s1_normal_abnormal"), TensorAssertions.StageTolerance, "s1");
        var top = ImageScore.TopMean(map, Number(golden, "top_k"));
        top.ShouldBeClose(golden.Read("s2"), TensorAssertions.StageTolerance, "s2");
        ImageScore.Fuse(similarities.select(1, 1), top, gamma).ShouldBeClose(golden.Read("score"), TensorAssertions.StageTolerance, "score");
    }

    public void Dispose() => scope.Dispose();

    private static int Number(SafetensorsFile file, string name) => int.Parse(file.Metadata[name], CultureInfo.InvariantCulture);
}
