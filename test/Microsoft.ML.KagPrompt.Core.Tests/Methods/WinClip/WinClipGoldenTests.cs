using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Methods;
using Microsoft.ML.KagPrompt.Methods.WinClip;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;
using static Microsoft.ML.KagPrompt.Tests.Methods.WinClip.WinClipGolden;

namespace Microsoft.ML.KagPrompt.Tests.Methods.WinClip;

/// <summary>Every stage of WinCLIP and WinCLIP+ against what the public implementation computed.</summary>
[Trait("Category", "Golden")]
public sealed class WinClipGoldenTests : IDisposable
{
    private const double Tolerance = TensorAssertions.StageTolerance;

    private readonly DisposeScope scope = torch.NewDisposeScope();

    [SkippableFact]
    public void Towers_TinyClip_EqualGolden()
    {
        using var golden = MethodGolden.Open("winclip");
        var (vision, text) = MethodGolden.Towers(golden);
        using (vision)
        using (text)
        {
            var means = new List<torch.Tensor>();
            foreach (var group in (string[])["normal", "abnormal"])
            {
                var sentences = text.Embed(golden.Read($"text.{group}.tokens"));
                sentences.ShouldBeClose(golden.Read($"text.{group}.sentence_embeddings"), Tolerance, $"{group} sentences");
                means.Add(TextFeatures.RawMean(sentences));
            }

            torch.stack(means).ShouldBeClose(golden.Read("text.features_mean_unnormalised"), Tolerance, "means of the sentences");

            foreach (var (images, prefix) in new[] { ("input.test_images", ""), ("input.support_images", "support.") })
            {
                using var features = vision.EncodeWindows(golden.Read(images), Windows(golden));
                var patches = prefix.Length == 0 ? "tower.patch_tokens_ln_post" : "support.patch_tokens_ln_post";
                features.PatchTokens.ShouldBeClose(golden.Read(patches), Tolerance, $"{images}: patches");
                foreach (var (grid, i) in Grids(golden).Select((grid, i) => (grid, i)))
                {
                    features.Windows[i].ShouldBeClose(golden.Read($"{prefix}windows{grid.Scale}.embedding"), Tolerance,
                        $"{images}: windows of {grid.Scale}");
                }

                if (prefix.Length == 0)
                {
                    features.ImageEmbedding.ShouldBeClose(golden.Read("tower.image_embedding"), Tolerance, "image embedding");
                    using var plain = vision.Encode(golden.Read(images));
                    plain.ImageEmbedding.ShouldBeClose(golden.Read("tower.image_embedding").UnitLength(-1), Tolerance,
                        "the same by the plain encoding");
                }
            }
        }
    }

    [SkippableFact]
    public void Windows_EachGrid_HoldTheGoldenPatches()
    {
        using var golden = MethodGolden.Open("winclip");
        foreach (var grid in Grids(golden))
        {
            torch.tensor(grid.PatchIndices())
                .ShouldBeClose(golden.Read($"windows{grid.Scale}.patch_indices"), 0, $"windows of {grid.Scale}");
        }
    }

    [SkippableFact]
    public void ZeroShot_GoldenFeatures_EveryStageEqualsGolden()
    {
        using var golden = MethodGolden.Open("winclip");
        var text = golden.Read("text.features_mean_unnormalised");
        var image = WinClipMaps.Abnormality(golden.Read("tower.image_embedding"), text);
        image.ShouldBeNear(golden.Read("zero_shot.image_score"), Tolerance, "image score");
        var maps = new List<torch.Tensor>();
        foreach (var grid in Grids(golden))
        {
            var scores = WinClipMaps.Abnormality(golden.Read($"windows{grid.Scale}.embedding"), text);
            scores.ShouldBeNear(golden.Read($"zero_shot.windows{grid.Scale}.score"), Tolerance, $"scores by windows of {grid.Scale}");
            maps.Add(grid.HarmonicMean(scores));
            Square(maps[^1], grid)
                .ShouldBeNear(golden.Read($"zero_shot.windows{grid.Scale}.map"), Tolerance, $"map by windows of {grid.Scale}");
        }

        var multi = WinClipMaps.MultiScale(image, maps);
        Square(multi, Grids(golden)[0]).ShouldBeNear(golden.Read("zero_shot.map_grid"), Tolerance, "map of the grid");
        ToImage(golden, multi).ShouldBeNear(golden.Read("zero_shot.map"), Tolerance, "map");
    }

    [SkippableFact]
    public void FewShot_GoldenFeatures_EveryStageEqualsGolden()
    {
        using var golden = MethodGolden.Open("winclip");
        var grids = Grids(golden);
        foreach (var shots in golden.Numbers("k_shots"))
        {
            var prefix = $"few_shot_k{shots}";
            using var bank = Bank(golden, golden.Read("support.patch_tokens_ln_post"), shots);
            var distances = bank.Distances(Queries(golden, golden.Read("tower.patch_tokens_ln_post")));

            var association = WinClipMaps.Association(distances, grids);

            Square(association.Maps[0], grids[0]).ShouldBeNear(golden.Read($"{prefix}.patch.map"), Tolerance, $"{shots} shots: patches");
            for (var i = 0; i < grids.Length; i++)
            {
                association.WindowScores[i].ShouldBeNear(golden.Read($"{prefix}.windows{grids[i].Scale}.score"), Tolerance,
                    $"{shots} shots: windows of {grids[i].Scale}");
                Square(association.Maps[1 + i], grids[i]).ShouldBeNear(golden.Read($"{prefix}.windows{grids[i].Scale}.map"), Tolerance,
                    $"{shots} shots: map by windows of {grids[i].Scale}");
            }

            Square(association.Mean, grids[0]).ShouldBeNear(golden.Read($"{prefix}.visual_map_grid"), Tolerance, $"{shots} shots: mean");
            Square(WinClipMaps.Halved(golden.Read("zero_shot.map_grid").flatten(1), association.Mean), grids[0])
                .ShouldBeNear(golden.Read($"{prefix}.map_grid"), Tolerance, $"{shots} shots: map of the grid");
        }
    }

    [SkippableFact]
    public void HarmonicMean_EdgeScores_EqualGolden()
    {
        using var golden = MethodGolden.Open("winclip");
        var grid = Grids(golden)[0];
        Square(grid.HarmonicMean(golden.Read("edge.harmonic2.window_scores")), grid)
            .ShouldBeNear(golden.Read("edge.harmonic2.map"), Tolerance, "scores of 0 and 1e-6");
    }

    [SkippableFact]
    public void Method_GoldenImages_MapsAndScoresEqualGolden()
    {
        using var golden = MethodGolden.Open("winclip");
        var (vision, text) = MethodGolden.Towers(golden);
        using (vision)
        using (text)
        {
            var side = golden.Number("image_size");
            var sizes = new MethodSizes(vision.Info, vision.Info, side, MapUpsampling.CellCentres, torch.CPU) { Tower = vision };
            torch.Tensor Words() => golden.Read("text.features_mean_unnormalised").DetachFromDisposeScope();
            using var test = vision.EncodeWindows(golden.Read("input.test_images"), Windows(golden));
            using var words = new WinClipMethod(new WinClipOptions { ZeroShot = true }, sizes);
            using (var reference = words.BuildReference([words.Remember(test)], Words()))
            using (var scored = words.Score(test, reference))
            {
                scored.Maps.ShouldBeNear(golden.Read("zero_shot.map"), TensorAssertions.StageTolerance, "zero-shot maps");
                scored.Scores.ShouldBeNear(golden.Read("zero_shot.image_score"), TensorAssertions.StageTolerance, "zero-shot scores");
            }

            using var method = new WinClipMethod(new WinClipOptions(), sizes);
            var supports = golden.Read("input.support_images");
            var kept = Enumerable.Range(0, (int)supports.shape[0])
                .Select(k => method.Remember(vision.EncodeWindows(supports.narrow(0, k, 1), Windows(golden)))).ToArray();
            foreach (var shots in golden.Numbers("k_shots"))
            {
                using var reference = method.BuildReference(kept[..shots], Words());
                using var scored = method.Score(test, reference);
                scored.Maps.ShouldBeNear(golden.Read($"few_shot_k{shots}.map"), TensorAssertions.StageTolerance, $"{shots} shots: maps");
                scored.Scores.ShouldBeNear(golden.Read($"few_shot_k{shots}.image_score"), TensorAssertions.StageTolerance,
                    $"{shots} shots: scores");
            }
        }
    }

    public void Dispose() => scope.Dispose();
}
