using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Methods;
using Microsoft.ML.KagPrompt.Methods.AnomalyGpt;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.TestSupport;
using Microsoft.ML.KagPrompt.Text;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Methods.AnomalyGpt;

/// <summary>Both image branches against what the authors' code computed.</summary>
[Trait("Category", "Golden")]
public sealed class AnomalyGptGoldenTests : IDisposable
{
    private readonly DisposeScope scope = torch.NewDisposeScope();
    private readonly SafetensorsFile golden = MethodGolden.Open("anomalygpt");
    private readonly int layers;
    private readonly int grid;
    private readonly int side;
    private readonly MethodSizes sizes;

    public AnomalyGptGoldenTests()
    {
        (layers, grid, side) = (golden.Number("layers"), golden.Number("grid"), golden.Number("S"));
        // No backbone has a grid that does not divide its image; golden files may.
        sizes = MethodSizesOf.Tiles(grid, IsOfABackbone ? side : grid, golden.Number("C_text"),
            [.. Enumerable.Repeat(golden.Number("C"), layers)]);
    }

    private bool IsOfABackbone => MethodSizesOf.CanTile(grid, side);

    [SkippableTheory]
    [InlineData("fewshot", 1)]
    [InlineData("fewshot_rot4", 4)]
    public void Score_FewShot_EveryStageEqualsGolden(string name, int rotations)
    {
        var options = new AnomalyGptOptions();
        using var method = AnomalyGptStart.Create(options, new MethodStart(sizes, "golden", [], null, 0));
        var tokens = golden.Read("in.support.tokens");                                                       // [n, 4, layers, 1 + L, C]
        var kept = Enumerable.Range(0, (int)tokens.shape[0]).Select(support =>
        {
            using var views = MethodSizesOf.Features(Enumerable.Range(0, layers)
                .Select(layer => tokens[support].narrow(0, 0, rotations).select(1, layer).narrow(1, 1, (long)grid * grid)));
            return method.Remember(views);
        }).ToArray();
        using var reference = method.BuildReference(kept, null);
        using var query = Query();
        using var scored = method.Score(query, reference);

        var bank = ((PatchBankReference)reference).Bank;
        var distances = bank.Distances(query.ForMemory.PatchTokens);
        var similarities = torch.stack([.. distances], 1).Complement().view(-1, layers, grid, grid);
        similarities.ShouldBeClose(golden.Read($"{name}.max_similarity"), TensorAssertions.StageTolerance, "max_similarity");
        similarities.mean([1]).ShouldBeClose(golden.Read($"{name}.mean_similarity"), TensorAssertions.StageTolerance, "mean_similarity");
        var map = IsOfABackbone ? scored.Maps : new MapMaker(MapUpsampling.AlignedCorners, side)
            .Mean(distances, [.. distances.Select(_ => PatchGrid.AlignedCorners(grid, side))]);
        map.ShouldBeClose(golden.Read($"{name}.map"), TensorAssertions.StageTolerance, "map");
        (IsOfABackbone ? scored.Scores : method.MapScores(map))
            .ShouldBeClose(golden.Read($"{name}.image_score"), TensorAssertions.StageTolerance, "image_score");
        method.MapScores(scored.Maps).ShouldBeClose(scored.Scores, 0, "the map decides the score");
        if (golden.Entries.ContainsKey($"{name}.nn_index"))
        {
            var nearest = Enumerable.Range(0, layers).Select(layer => query.ForMemory.PatchTokens[layer].UnitLength(-1)
                .matmul(bank.Layers[layer].t()).argmax(-1));
            torch.stack([.. nearest], 1).view(-1, layers, grid, grid)
                .ShouldBeClose(golden.Read($"{name}.nn_index"), 0, "the bank holds support after support, patch after patch");
        }
    }

    [SkippableFact]
    public void Score_ZeroShot_EveryStageEqualsGolden()
    {
        var path = Path.GetTempFileName();
        try
        {
            var heads = Enumerable.Range(0, layers)
                .SelectMany(layer => new[] { "weight", "bias" }.Select(kind
                => (Name: $"image_decoder.fc.{layer}.{kind}", Value: golden.Read($"in.head.{kind}")[layer].contiguous())));
            // The authors' file holds more than the decoder.
            TinyBackbones.WriteSafetensors(path, heads.Append(("prompt_learner.base_prompts", torch.zeros(2, 3)))
                .ToDictionary(entry => entry.Item1, entry => entry.Item2));
            var options = new AnomalyGptOptions { Branch = AnomalyGptBranch.ZeroShot, DecoderPath = path };
            using var method = AnomalyGptStart.Create(options, new MethodStart(sizes, "golden", [], null, 0));
            using var sentences = new TableTower(golden.Read("in.text.normal"), golden.Read("in.text.abnormal"));
            var text = TextFeatures.Encode(sentences, new BytePairTokenizer([], BytePairTokenizer.ClipContextLength),
                PromptEnsemble.Paper(golden.Metadata["class_name"]), torch.CPU);
            text.ShouldBeClose(golden.Read("stage.text_features"), TensorAssertions.StageTolerance, "text_features");
            using var query = Query();
            using var reference = method.BuildReference([[]], text.clone());
            using var scored = method.Score(query, reference);

            var decoder = ((ZeroShotBranch)method).CopyDecoder();
            var logits = torch.stack([.. Enumerable.Range(0, layers)
                .Select(layer => decoder.Logits(layer, query.ForPrompt!.PatchTokens[layer], text))], 1);
            logits.view(-1, layers, 2, grid, grid).ShouldBeClose(golden.Read("zeroshot.logits"), TensorAssertions.StageTolerance, "logits");
            var map = IsOfABackbone ? scored.Maps
                : ZeroShotBranch.Abnormal([.. logits.unbind(1).Select(layer => PatchGrid.AlignedCorners(grid, side).ToImage(layer, side))]);
            map.ShouldBeClose(golden.Read("zeroshot.map"), TensorAssertions.StageTolerance, "map");
            (IsOfABackbone ? scored.Scores : method.MapScores(map))
                .ShouldBeClose(golden.Read("zeroshot.image_score"), TensorAssertions.StageTolerance, "image_score");
        }
        finally
        {
            File.Delete(path);
        }
    }

    public void Dispose()
    {
        golden.Dispose();
        scope.Dispose();
    }

    private ScoringFeatures Query()
    {
        var tokens = golden.Read("in.query.tokens");                                                         // [q, layers, 1 + L, C]
        return MethodSizesOf.Features(Enumerable.Range(0, layers).Select(layer => tokens.select(1, layer).narrow(1, 1, (long)grid * grid)));
    }

    /// <summary>A text tower that knows its answers: the normal sentences', then the abnormal ones'.</summary>
    private sealed class TableTower(params torch.Tensor[] answers) : ITextTower
    {
        private int asked;

        public int JointWidth => (int)answers[0].shape[1];

        public torch.Tensor Encode(torch.Tensor tokens)
        {
            tokens.shape[0].Should().Be(answers[asked].shape[0], "the authors' number of sentences");
            return answers[asked++].clone();
        }

        public torch.Tensor Embed(torch.Tensor tokens) => Encode(tokens);

        public void MoveTo(torch.Device device)
        {
        }

        public void Dispose()
        {
        }
    }
}
