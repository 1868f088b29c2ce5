using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Methods.Kag;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Methods.Kag;

/// <summary>Every stage of the Paper variant against an independent float64 implementation of the equations.</summary>
[Trait("Category", "Golden")]
public sealed class PaperGoldenTests : IDisposable
{
    private SafetensorsFile? golden;
    private readonly DisposeScope scope = torch.NewDisposeScope();

    [SkippableFact]
    public void Nodes_EveryStageOfTheFirstRound_EqualsGolden()
    {
        var file = File();
        using var prompt = Prompt(file);
        var stages = new Dictionary<string, torch.Tensor>();
        prompt.Trace = (name, round, value) =>
        {
            if (round == 1)
            {
                stages[name] = value.clone().DetachFromDisposeScope();
            }
        };
        using var noGradients = torch.no_grad();
        var tokens = List(file, "patch_tokens.");
        var initial = prompt.InitialNodes(tokens);
        var outputs = prompt.Nodes(tokens);
        prompt.Trace = null;
        var atOnce = prompt.Nodes(tokens);
        var batch = tokens[0].shape[0];
        for (var i = 0; i < 4; i++)
        {
            atOnce[i].ShouldBeClose(file.Read($"node_output.{i}"), TensorAssertions.StageTolerance, $"node_output.{i}, untraced");
            // node_initial is stored as [B, C', H', W'].
            initial[i].ShouldBeClose(file.Read($"node_initial.{i}").flatten(2).transpose(1, 2), TensorAssertions.StageTolerance, $"node_initial.{i}");
            stages["loop"][i].ShouldBeClose(file.Read($"iteration1.loop.{i}"), TensorAssertions.StageTolerance, $"loop.{i}");
            stages["total"][i].ShouldBeClose(file.Read($"iteration1.total.{i}"), TensorAssertions.StageTolerance, $"total.{i}");
            stages["node"][i].ShouldBeClose(file.Read($"iteration1.node.{i}"), TensorAssertions.StageTolerance, $"node.{i}");
            outputs[i].ShouldBeClose(file.Read($"node_output.{i}"), TensorAssertions.StageTolerance, $"node_output.{i}");
            stages["gate"][i].squeeze(1).ShouldBeClose(file.Read($"iteration1.gate.{i}_{i}"), TensorAssertions.StageTolerance, $"gate.{i}_{i}");
        }

        (int I, int J)[] pairs = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)];
        for (var p = 0; p < pairs.Length; p++)
        {
            var (i, j) = pairs[p];
            stages["gate"][4 + p].squeeze(1).ShouldBeClose(file.Read($"iteration1.gate.{j}_to_{i}"), TensorAssertions.StageTolerance, $"gate {j} to {i}");
            stages["gate"][10 + p].squeeze(1).ShouldBeClose(file.Read($"iteration1.gate.{i}_to_{j}"), TensorAssertions.StageTolerance, $"gate {i} to {j}");
            if (i == 0)
            {
                stages["message"][p].ShouldBeClose(file.Read($"iteration1.message.{j}_to_0"), TensorAssertions.StageTolerance, $"message {j} to 0");
            }
        }

        var edge = stages["edge"].view(6, batch, tokens[0].shape[1], tokens[0].shape[1])[0][0];
        edge.ShouldBeClose(file.Read("iteration1.edge.0_1.first_image")[0], TensorAssertions.StageTolerance, "edge 0_1");
        edge.t().ShouldBeClose(file.Read("iteration1.edge.1_0.first_image")[0], TensorAssertions.StageTolerance, "edge 1_0");
    }

    [SkippableFact]
    public void Scores_MapsAndScores_EqualGolden()
    {
        var file = File();
        var prompt = Prompt(file);
        using var noGradients = torch.no_grad();
        var gamma = float.Parse(file.Metadata["gamma"], System.Globalization.CultureInfo.InvariantCulture);
        var tokens = List(file, "patch_tokens.");
        var text = file.Read("text_features");
        var side = (int)file.Entries["map"].Shape[^1];
        // Through the method that models score with, not its parts.
        var topK = int.Parse(file.Metadata["top_k"], System.Globalization.CultureInfo.InvariantCulture);
        using var method = KagParts.Method(new KagOptions { Coreset = CoresetOptions.Off, Fusion = ScoreFusion.Paper with { Gamma = gamma, TopK = topK } }, prompt, grid: (int)Math.Sqrt(tokens[0].shape[1]), side);
        using var reference = method.BuildReference([[.. List(file, "bank.").Select(layer => layer.unsqueeze(0))]], text);
        using var features = new ScoringFeatures(new VisionFeatures(tokens, file.Read("class_embedding")), null);
        var (map, score, _) = method.Score(features, reference);
        map.ShouldBeClose(file.Read("map"), TensorAssertions.StageTolerance, "map");
        score.ShouldBeClose(file.Read("score"), TensorAssertions.StageTolerance, "score");
        var branches = method.Score(features, reference, [new() { Branches = ScoringBranches.Prompt }, new() { Branches = ScoringBranches.MemoryBank }]);
        branches[0].Maps.ShouldBeClose(file.Read("map_text"), TensorAssertions.StageTolerance, "map_text");
        branches[1].Maps.ShouldBeClose(file.Read("map_memory"), TensorAssertions.StageTolerance, "map_memory");
        var similarities = prompt.ImageSimilarities(file.Read("class_embedding"), text);
        similarities.ShouldBeClose(file.Read("s1_normal_abnormal"), TensorAssertions.StageTolerance, "s1");
        method.MapScores(map).ShouldBeClose(file.Read("s2"), TensorAssertions.StageTolerance, "s2");
    }

    [SkippableFact]
    public void Losses_OfTheWholeNetwork_EqualGolden()
    {
        var file = File();
        using var prompt = Prompt(file);
        var text = file.Read("text_features");
        var maps = PromptMap.PerLayer(prompt.Nodes(List(file, "patch_tokens.")), text, KagVariant.For(GraphVariant.Paper), KagParts.AlignedCorners(16, (int)file.Entries["map"].Shape[^1]));
        var losses = Losses.Paper(prompt.ImageSimilarities(file.Read("class_embedding"), text), maps, file.Read("mask"), file.Read("label"), 1, 1);
        losses.CrossEntropy.reshape(1).ShouldBeClose(file.Read("loss_ce"), TensorAssertions.StageTolerance, "cross-entropy");
        losses.Focal.reshape(1).ShouldBeClose(file.Read("loss_focal"), TensorAssertions.StageTolerance, "focal");
        losses.Dice.reshape(1).ShouldBeClose(file.Read("loss_dice"), TensorAssertions.StageTolerance, "dice");
    }

    public void Dispose()
    {
        golden?.Dispose();
        scope.Dispose();
    }

    private SafetensorsFile File() => golden ??= SafetensorsFile.Open(SharedFiles.Golden("kag_paper_tiny.safetensors"));

    private static GraphPrompt Prompt(SafetensorsFile file)
    {
        var config = new GraphPromptConfig
        {
            TapWidths = [.. Enumerable.Range(0, 4).Select(i => (int)file.Entries[$"weights.projection.{i}.weight"].Shape[1])],
            JointWidth = (int)file.Entries["weights.projection.0.weight"].Shape[0],
            Iterations = int.Parse(file.Metadata["iterations"], System.Globalization.CultureInfo.InvariantCulture),
        };
        return GraphPrompt.Read(config, new PrefixedTensors(file, "weights."));
    }

    private static torch.Tensor[] List(SafetensorsFile file, string prefix) => [.. Enumerable.Range(0, 4).Select(i => file.Read(prefix + i))];
}
