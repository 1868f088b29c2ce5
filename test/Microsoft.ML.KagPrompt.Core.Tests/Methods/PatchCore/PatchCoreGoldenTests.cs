using System.Globalization;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Methods;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Methods.PatchCore;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Methods.PatchCore;

/// <summary>Every stage as the authors' code computes it, from feature maps to images' scores.</summary>
public sealed class PatchCoreGoldenTests : IDisposable
{
    private readonly SafetensorsFile golden;
    private readonly DisposeScope scope = torch.NewDisposeScope();

    public PatchCoreGoldenTests() => golden = SafetensorsFile.Open(SharedFiles.MethodGolden("patchcore.safetensors"));

    private PatchCoreOptions Options => new() { StageWidth = Size("D_pretrain"), EmbeddingWidth = Size("D_target") };

    private PatchEmbedding Embedding => new(Options.StageWidth, Options.EmbeddingWidth);

    [SkippableFact]
    public void Unfold_OfBothMaps_IsTheGoldenOne()
    {
        var (fine, coarse) = (golden.Read("in.query.layer2").narrow(0, 0, 1), golden.Read("in.query.layer3").narrow(0, 0, 1));
        var (blocks, coarser) = (PatchEmbedding.Unfold(fine), PatchEmbedding.Unfold(coarse));
        Selected(blocks, "stage.selected_patches", fine.shape[1])
            .ShouldBeClose(golden.Read("stage.query0.layer2.unfolded"), 0, "values are only moved");
        Selected(coarser, "stage.selected_patches_layer3", coarse.shape[1])
            .ShouldBeClose(golden.Read("stage.query0.layer3.unfolded"), 0, "values are only moved");
        var enlarged = PatchEmbedding.Resize(coarser, (int)coarse.shape[2], (int)coarse.shape[3], (int)fine.shape[2], (int)fine.shape[3]);
        Selected(enlarged, "stage.selected_patches", coarse.shape[1])
            .ShouldBeClose(golden.Read("stage.query0.layer3.unfolded_resized"), 1e-6, "linear between cells");
    }

    [SkippableFact]
    public void Embed_OfQueriesAndSupports_IsTheGoldenOne()
    {
        var queries = Maps("query");
        Embedding.MeanMap([.. queries.Select(map => map.narrow(0, 0, 1))])
            .ShouldBeClose(golden.Read("stage.query.mean_mapped"), 1e-6, "adaptive averages");
        Embedding.Embed(queries).ShouldBeClose(golden.Read("stage.query.embedding"), 1e-6, "averages of both stages");
        Embedding.Embed(Maps("support")).flatten(0, 1)
            .ShouldBeClose(golden.Read("stage.bank"), 1e-6, "the bank is the supports' embeddings, image by image");
    }

    [SkippableFact]
    public void Score_AgainstAllPatches_IsTheGoldenOne()
    {
        var (embeddings, bank) = (golden.Read("stage.query.embedding"), golden.Read("stage.bank"));
        var (patches, images) = new PatchScores(Options).Compute(embeddings, bank);
        CheckScores(patches, images, "identity");
        NearestNeighbours.Find(embeddings.flatten(0, 1), bank, 1).Rows.flatten().data<long>().Should()
            .Equal(golden.Read("identity.nn_index").flatten().data<long>(), "the nearest patches are the same");
        var (height, width) = Sides();
        var (map, blurred) = Map(patches, "identity.patch_score_sq", height, width);
        map.ShouldBeClose(golden.Read("identity.map_upsampled_sq"), 1e-5, "half-pixel centres");
        blurred.ShouldBeClose(golden.Read("identity.map_sq"), 1e-5, "SciPy's Gaussian");
    }

    [SkippableFact]
    public void Score_ByThreeNeighbours_IsTheGoldenOne()
    {
        var (embeddings, bank) = (golden.Read("stage.query.embedding"), golden.Read("stage.bank"));
        NearestNeighbours.Find(embeddings.flatten(0, 1), bank, 3).Squared.view(golden.Entries["identity_nn3.dist_sq"].Shape.ToArray())
            .ShouldBeClose(golden.Read("identity_nn3.dist_sq"), 2e-5, "equally near patches may change places, distances not");
        var (patches, images) = new PatchScores(Options with { Neighbours = 3 }).Compute(embeddings, bank);
        CheckScores(patches, images, "identity_nn3");
    }

    [SkippableFact]
    public void Coreset_OfEveryKind_IsTheGoldenOne()
    {
        var bank = golden.Read("stage.bank");
        var share = double.Parse(golden.Metadata["coreset_fraction"], CultureInfo.InvariantCulture);
        Coreset.Exact(bank, (int)(share * bank.shape[0])).Should().Equal(Longs("greedy25.coreset_index"), "exact, of the whole bank");
        var small = bank.index_select(0, golden.Read("small.bank_rows"));
        var count = (int)(share * small.shape[0]);
        Coreset.Exact(small, count).Should().Equal(Longs("small.greedy25.coreset_index"), "exact");
        Coreset.Exact(Coreset.Project(small, golden.Read("small.greedy25_projected.projection")), count).Should()
            .Equal(Longs("small.greedy25_projected.coreset_index"), "of projected rows");
        Coreset.Approximate(small, count, Longs("small.approx25.start_points")).Should()
            .Equal(Longs("small.approx25.coreset_index"), "from ten rows");
        Coreset.Approximate(small, count, [0]).Should().Equal(Longs("small.approx25_start0.coreset_index"), "from one row");
    }

    [SkippableFact]
    public void Score_AgainstTheCoreset_IsTheGoldenOne()
    {
        var (embeddings, bank) = (
            golden.Read("stage.query.embedding"), golden.Read("stage.bank").index_select(0, golden.Read("greedy25.coreset_index")));
        var (patches, images) = new PatchScores(Options).Compute(embeddings, bank);
        CheckScores(patches, images, "greedy25");
        NearestNeighbours.Find(embeddings.flatten(0, 1), bank, 1).Rows.flatten().data<long>().Should()
            .Equal(golden.Read("greedy25.nn_index").flatten().data<long>(), "places in the coreset's order");
        var (height, width) = Sides();
        Map(patches, "greedy25.patch_score_sq", height, width).Blurred
            .ShouldBeClose(golden.Read("greedy25.map_sq"), 1e-5, "SciPy's Gaussian");
    }

    [SkippableTheory]
    [InlineData(3)]
    [InlineData(9)]
    public void Score_AsInThePaper_IsTheGoldenOne(int neighbourhood)
    {
        var options = Options with { Scoring = PatchCoreScoring.Paper, Neighbourhood = neighbourhood };
        var (patches, images) = new PatchScores(options).Compute(golden.Read("stage.query.embedding"), golden.Read("stage.bank"));
        patches.view(golden.Entries["paper.patch_score_l2"].Shape.ToArray())
            .ShouldBeClose(golden.Read("paper.patch_score_l2"), 5e-5, "distances, not their squares");
        patches.amax([1]).ShouldBeClose(golden.Read("paper.image_score_l2"), 5e-5, "the farthest patch, unweighted");
        images.ShouldBeClose(golden.Read($"paper.image_score_reweighted_b{neighbourhood}"), 2e-5, "weighted by the neighbourhood");
    }

    [SkippableFact]
    public void Method_OnTheGoldenMaps_ScoresAsTheGoldenStages()
    {
        var (height, width) = Sides();
        Skip.If(height != width, "the library's maps are square");
        var sizes = TapSizes.FromGolden(golden, ["in.query.layer2", "in.query.layer3"], height);
        var shape = golden.Entries["in.query.layer2"].Shape;
        using var method = new PatchCoreMethod(
            Options with { Layers = [1, 2] }, sizes, PatchGrid.HalfPixel((int)shape[2], (int)shape[3], height, width));
        var supports = Enumerable.Range(0, Size("n_support"))
            .Select(i => method.Remember(new StageFeatures([.. Maps("support").Select(map => map.narrow(0, i, 1))], torch.zeros(1, 1))))
            .ToArray();
        using var reference = method.BuildReference(supports, null);
        using var scored = method.Score(new StageFeatures(Maps("query"), torch.zeros(Size("n_query"), 1)), reference);
        scored.Scores.ShouldBeClose(golden.Read("identity.image_score_sq"), 2e-5, "from maps to scores");
        scored.Maps.ShouldBeClose(golden.Read("identity.map_sq"), 2e-5, "from maps to maps");
    }

    public void Dispose()
    {
        golden.Dispose();
        scope.Dispose();
    }

    private int Size(string key) => int.Parse(golden.Metadata[key], CultureInfo.InvariantCulture);

    private (int Height, int Width) Sides()
    {
        var sides = golden.Metadata["S"].Split('x').Select(side => int.Parse(side, CultureInfo.InvariantCulture)).ToArray();
        return (sides[0], sides[^1]);
    }

    private torch.Tensor[] Maps(string whose) => [golden.Read($"in.{whose}.layer2"), golden.Read($"in.{whose}.layer3")];

    private long[] Longs(string name) => [.. golden.Read(name).data<long>()];

    private torch.Tensor Selected(torch.Tensor blocks, string rows, long channels)
        => blocks[0].index_select(0, golden.Read(rows)).view(-1, channels, 3, 3);

    private void CheckScores(torch.Tensor patches, torch.Tensor images, string of)
    {
        patches.view(golden.Entries[$"{of}.patch_score_sq"].Shape.ToArray())
            .ShouldBeClose(golden.Read($"{of}.patch_score_sq"), 1e-5, $"{of}: squared distances");
        images.ShouldBeClose(golden.Read($"{of}.image_score_sq"), 1e-5, $"{of}: the largest");
    }

    private (torch.Tensor Map, torch.Tensor Blurred) Map(torch.Tensor patches, string shapeOf, int height, int width)
    {
        var shape = golden.Entries[shapeOf].Shape;
        var map = PatchGrid.HalfPixel((int)shape[1], (int)shape[2], height, width).ToImage(patches, height, width);
        return (map, GaussianBlur.Apply(map, double.Parse(golden.Metadata["sigma"], CultureInfo.InvariantCulture)));
    }
}
