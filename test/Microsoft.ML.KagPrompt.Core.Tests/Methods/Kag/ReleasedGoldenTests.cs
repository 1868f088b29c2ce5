using System.Globalization;
using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Backbones.Published.Layouts;
using Microsoft.ML.KagPrompt.Backbones.Vit;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Methods.Kag;
using Microsoft.ML.KagPrompt.Methods.Kag.Released;
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
        var prompt = ReleasedCheckpoint.Read(head, Number(golden, "iterations"));
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

        var maps = PromptMap.PerLayer(nodes, text, KagVariant.For(GraphVariant.Released), KagParts.AlignedCorners((int)Math.Sqrt(nodes.shape[2]), side));
        maps[0][0].ShouldBeClose(golden.Read("layer_map.0")[0][1], TensorAssertions.StageTolerance, "layer_map.0");
        maps[4][0].ShouldBeClose(golden.Read("layer_map.4")[0][1], TensorAssertions.StageTolerance, "layer_map.4");

        // Through the method that models score with, not its parts.
        var options = new KagOptions { Coreset = CoresetOptions.Off, Prompt = new() { Variant = GraphVariant.Released }, Fusion = ScoreFusion.Paper with { Gamma = gamma, TopK = Number(golden, "top_k") } };
        using var method = KagParts.Method(options, prompt, (int)Math.Sqrt(nodes.shape[2]), side);
        using var reference = method.BuildReference([supports.PatchTokens], text);
        using var scoring = new ScoringFeatures(new VisionFeatures([.. features.PatchTokens.Select(tokens => tokens.alias())], features.ImageEmbedding.alias()), null);
        var (map, score, _) = method.Score(scoring, reference);
        map.ShouldBeClose(golden.Read("map"), TensorAssertions.StageTolerance, "map");
        score.ShouldBeClose(golden.Read("score"), TensorAssertions.StageTolerance, "score");
        var branches = method.Score(scoring, reference, [new() { Branches = ScoringBranches.Prompt }, new() { Branches = ScoringBranches.MemoryBank }]);
        branches[0].Maps.ShouldBeClose(golden.Read("map_text"), TensorAssertions.StageTolerance, "map_text");
        branches[1].Maps.ShouldBeClose(golden.Read("map_memory"), TensorAssertions.StageTolerance, "map_memory");
        var similarities = prompt.ImageSimilarities(features.ImageEmbedding, text);
        similarities.ShouldBeClose(golden.Read("s1_normal_abnormal"), TensorAssertions.StageTolerance, "s1");
        method.MapScores(map).ShouldBeClose(golden.Read("s2"), TensorAssertions.StageTolerance, "s2");
    }

    public void Dispose() => scope.Dispose();

    private static int Number(SafetensorsFile file, string name) => int.Parse(file.Metadata[name], CultureInfo.InvariantCulture);
}
