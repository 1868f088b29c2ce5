using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Backbones.Vit;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Methods;
using Microsoft.ML.KagPrompt.Methods.AprilGan;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Methods.AprilGan;

/// <summary>Every stage of APRIL-GAN, its training step included, against what the authors' code computed.</summary>
[Trait("Category", "Golden")]
public sealed class AprilGanGoldenTests : IDisposable
{
    private const double Tolerance = TensorAssertions.StageTolerance;
    private const double Share = 5e-5;

    private readonly DisposeScope scope = torch.NewDisposeScope();

    [SkippableFact]
    public void ZeroShot_GoldenTokens_EveryStageEqualsGolden()
    {
        using var golden = MethodGolden.Open("aprilgan");
        using var heads = Heads(golden);
        var classes = Integers(golden, "test.class_index");
        var maps = new List<torch.Tensor>();
        for (var layer = 0; layer < golden.Number("layers"); layer++)
        {
            var projected = heads.Project(layer, Patches(golden, $"test.layer{layer}.tokens"));
            projected.ShouldBeClose(golden.Read($"zero_shot.layer{layer}.projected_normalised"), Tolerance, $"layer {layer}: projected");
            var logits = AprilGanMaps.Logits(projected, Texts(golden, classes));
            logits.ShouldBeClose(golden.Read($"zero_shot.layer{layer}.logits"), Tolerance, $"layer {layer}: logits");
            maps.Add(AprilGanMaps.LayerMap(logits, ToImage(golden)));
            maps[^1].ShouldBeClose(golden.Read($"zero_shot.layer{layer}.map"), Tolerance, $"layer {layer}: map");
        }

        AprilGanMaps.Sum(maps).ShouldBeClose(golden.Read("zero_shot.map"), Tolerance, "map");
        var images = golden.Read("test.image_features");
        for (var i = 0; i < classes.Length; i++)
        {
            AprilGanMaps.ImageScores(images.narrow(0, i, 1), Text(golden, classes[i]))
                .ShouldBeClose(golden.Read("zero_shot.image_score").narrow(0, i, 1), Tolerance, $"image {i}");
        }
    }

    [SkippableFact]
    public void FewShot_GoldenTokens_EveryStageEqualsGolden()
    {
        using var golden = MethodGolden.Open("aprilgan");
        var (layers, classes) = (golden.Number("layers"), Integers(golden, "test.class_index"));
        foreach (var (name, index) in Classes(golden).Select((name, index) => (name, index)))
        {
            using var bank = MemoryBank.Build([.. Enumerable.Range(0, golden.Number("k_shot")).Select(k => (IReadOnlyList<torch.Tensor>)
                [.. Enumerable.Range(0, layers).Select(layer => Patches(golden, $"support.{name}.layer{layer}.tokens").narrow(0, k, 1))])]);
            long[] own = [.. classes.Index().Where(entry => entry.Item == index).Select(entry => (long)entry.Index)];
            torch.Tensor Own(string tensor) => golden.Read(tensor).index_select(0, torch.tensor(own));
            for (var layer = 0; layer < layers; layer++)
            {
                bank.Layers[layer].ShouldBeClose(golden.Read($"bank.{name}.layer{layer}").UnitLength(1), Tolerance,
                    $"{name}, layer {layer}: bank");
            }

            var distances = bank.Distances([.. Enumerable.Range(0, layers)
                .Select(layer => Patches(golden, $"test.layer{layer}.tokens").index_select(0, torch.tensor(own)))]);

            for (var layer = 0; layer < layers; layer++)
            {
                distances[layer].ShouldBeClose(Own($"few_shot.layer{layer}.patch_distance"), Tolerance,
                    $"{name}, layer {layer}: distances");
            }

            var visual = AprilGanMaps.Sum(distances.Select(ToImage(golden)));
            visual.ShouldBeClose(Own("few_shot.visual_map"), Tolerance, $"{name}: visual map");
            visual.Plus(Own("zero_shot.map")).ShouldBeClose(Own("few_shot.map"), Tolerance, $"{name}: map");
            Own("few_shot.map").flatten(1).amax([1]).ShouldBeClose(Own("few_shot.map_max"), Tolerance, $"{name}: largest of the map");
            var largest = Own("few_shot.map_max").data<float>().ToArray();
            torch.tensor(TransductiveScores.Scaled(largest))
                .ShouldBeClose(Own("few_shot.map_max_minmax_per_class"), Tolerance, $"{name}: between least and largest");
            var scores = TransductiveScores.Compute(Own("zero_shot.image_score").data<float>().ToArray(), largest);
            torch.tensor(scores).ShouldBeClose(Own("few_shot.image_score_transductive"), Tolerance, $"{name}: image scores");

            void ShouldHaveAuroc(float[] values, torch.Tensor truth, string kind)
                => RocMetrics.Auroc(values, truth.to_type(torch.ScalarType.Bool).data<bool>().ToArray()).Should()
                    .BeApproximately(golden.Read($"metrics.{kind}_auroc_per_class")[index].ToDouble(), Tolerance, $"{name}: {kind}s");
            ShouldHaveAuroc(scores, Own("test.label"), "image");
            ShouldHaveAuroc([.. visual.Plus(Own("zero_shot.map")).data<float>()], HeadTrainer.Binary(Own("test.mask")), "pixel");
        }
    }

    [SkippableFact]
    public void Method_GoldenTokens_MapsEqualGoldenButForTheirRange()
    {
        using var golden = MethodGolden.Open("aprilgan");
        var (layers, size) = (golden.Number("layers"), golden.Number("image_size"));
        var info = new VisionTowerInfo
        {
            PatchSize = size / golden.Number("grid"), TapWidths = [.. Enumerable.Repeat(golden.Number("width"), layers)],
            JointWidth = golden.Number("joint"), ImageSize = size, Mean = [0, 0, 0], Std = [1, 1, 1],
        };
        // The file's image is no multiple of its grid; with aligned corners that does not matter.
        var sizes = new MethodSizes(info, info, info.PatchSize * golden.Number("grid"), MapUpsampling.AlignedCorners, torch.CPU);
        using var method = new AprilGanMethod(new AprilGanOptions(), sizes, Heads(golden), startsTrained: true);
        var classes = Integers(golden, "test.class_index");
        foreach (var (name, index) in Classes(golden).Select((name, index) => (name, index)))
        {
            var own = torch.tensor([.. classes.Index().Where(entry => entry.Item == index).Select(entry => (long)entry.Index)]);
            ScoringFeatures Features(string prefix, torch.Tensor rows) => new(new VisionFeatures(
                [.. Enumerable.Range(0, layers).Select(layer => Patches(golden, $"{prefix}.layer{layer}.tokens").index_select(0, rows))],
                golden.Read("test.image_features").index_select(0, rows)), null);
            using var reference = method.BuildReference([.. Enumerable.Range(0, golden.Number("k_shot"))
                .Select(k => method.Remember(Features($"support.{name}", torch.tensor(new long[] { k }))))],
                Text(golden, index).DetachFromDisposeScope());
            using var scored = method.Score(Features("test", own), reference);

            var (side, grid) = (sizes.ImageSize, golden.Number("grid"));
            torch.Tensor At(torch.Tensor patches) => PatchGrid.AlignedCorners(grid, side).ToImage(patches, side);
            var logits = Enumerable.Range(0, layers).Select(layer => golden.Read($"zero_shot.layer{layer}.logits").index_select(0, own));
            var words = AprilGanMaps.Sum(logits.Select(logit => At(logit.select(-1, 1).sub(logit.select(-1, 0))).sigmoid()));
            var visual = AprilGanMaps.Sum(Enumerable.Range(0, layers)
                .Select(layer => At(golden.Read($"few_shot.layer{layer}.patch_distance").index_select(0, own))));
            var expected = words.Plus(visual).Times(0.5 / layers);
            scored.Maps.ShouldBeClose(expected, Tolerance, $"{name}: maps");
            var score = golden.Read("zero_shot.image_score").index_select(0, own).Plus(expected.flatten(1).amax([1])).Times(0.5);
            scored.Scores.ShouldBeClose(score, Tolerance, $"{name}: scores");
        }
    }

    [SkippableFact]
    public void Texts_GoldenSentences_AverageToTheGoldenFeatures()
    {
        using var golden = MethodGolden.Open("aprilgan");
        for (var index = 0; index < Classes(golden).Length; index++)
        {
            var name = Classes(golden)[index];
            var sentences = AprilGanSentences.All;
            golden.Entries[$"text.{name}.normal.sentence_embeddings"].Shape[0].Should().Be(sentences.Normal.Count);
            golden.Entries[$"text.{name}.abnormal.sentence_embeddings"].Shape[0].Should().Be(sentences.Abnormal.Count);
            Text(golden, index).ShouldBeClose(golden.Read($"text.{name}.features").t(), Tolerance, name);
        }
    }

    [SkippableFact]
    public void Step_GoldenBatch_LossesGradientsAndWeightsEqualGolden()
    {
        using var golden = MethodGolden.Open("aprilgan");
        using var heads = Heads(golden);
        var layers = golden.Number("layers");
        using var trainer = new HeadTrainer(heads, [.. Enumerable.Repeat(ToImage(golden), layers)]);
        var masks = HeadTrainer.Binary(golden.Read("train.mask_raw"));
        masks.ShouldBeClose(golden.Read("train.mask_binary"), 0, "masks");
        var tokens = Enumerable.Range(0, layers).Select(layer => Patches(golden, $"train.layer{layer}.tokens")).ToArray();
        var texts = Texts(golden, Integers(golden, "train.class_index"));

        var losses = trainer.Losses(tokens, texts, masks);
        for (var layer = 0; layer < layers; layer++)
        {
            losses.Maps[layer].ShouldBeClose(golden.Read($"train.layer{layer}.probability"), Tolerance, $"layer {layer}: probability");
        }

        torch.stack([.. losses.Focal]).ShouldBeNear(golden.Read("train.focal_per_layer"), Share, "focal");
        torch.stack([.. losses.Dice]).ShouldBeNear(golden.Read("train.dice_per_layer"), Share, "dice");
        losses.Total.ShouldBeNear(golden.Read("train.loss"), Share, "loss");

        losses.Total.backward();
        foreach (var (name, weight) in heads.Weights)
        {
            weight.grad!.ShouldBeNear(golden.Read($"train.grad.{name}"), Share, $"gradient of {name}");
        }

        trainer.Update(double.Parse(golden.Metadata["adam_lr"], System.Globalization.CultureInfo.InvariantCulture));
        foreach (var (name, weight) in heads.Weights)
        {
            weight.ShouldBeClose(golden.Read($"train.after_adam.{name}"), 1e-6, $"{name} after a step");
        }
    }

    [SkippableFact]
    public void Positions_OtherGrids_EqualGolden()
    {
        using var golden = MethodGolden.Open("aprilgan");
        var original = golden.Read("extra.positional_embedding.original");
        var (width, side) = ((int)original.shape[1], (int)Math.Sqrt(original.shape[0] - 1));
        const int Patch = 4;
        var config = new VisionTransformerConfig
        {
            Width = width, Depth = 1, Heads = 1, MlpWidth = width, PatchSize = Patch, ImageSize = side * Patch, JointWidth = 2,
            Resampling = PositionResampling.BicubicAntialias,
        };
        using var tower = new VisionTransformer(config, new WeightSet(VisionTransformer.Shapes(config)
            .ToDictionary(entry => entry.Key,
                entry => (entry.Key == "positions" ? original : torch.zeros(entry.Value)).DetachFromDisposeScope())));
        var grids = golden.Entries.Keys.Where(name => name.StartsWith("extra.positional_embedding.grid", StringComparison.Ordinal))
            .ToArray();
        grids.Should().NotBeEmpty();
        foreach (var name in grids)
        {
            tower.Positions(int.Parse(name["extra.positional_embedding.grid".Length..], System.Globalization.CultureInfo.InvariantCulture))
                .ShouldBeClose(golden.Read(name), Tolerance, name);
        }
    }

    public void Dispose() => scope.Dispose();

    private static LinearHeads Heads(SafetensorsFile golden)
    {
        using var source = new PrefixedTensors(golden, "weights.");
        return LinearHeads.Read([.. Enumerable.Repeat(golden.Number("width"), golden.Number("layers"))], golden.Number("joint"), source);
    }

    private static string[] Classes(SafetensorsFile golden) => golden.Metadata["classes"].Split(',');

    private static int[] Integers(SafetensorsFile golden, string name) => [.. golden.Read(name).data<long>().Select(value => (int)value)];

    /// <summary>Without the class token.</summary>
    private static torch.Tensor Patches(SafetensorsFile golden, string name)
    {
        var tokens = golden.Read(name);
        return tokens.narrow(1, 1, tokens.shape[1] - 1);
    }

    /// <summary>The class's texts as the library averages them, from the file's raw sentences: [2, C'].</summary>
    private static torch.Tensor Text(SafetensorsFile golden, int index)
        => torch.stack([.. new[] { "normal", "abnormal" }.Select(group
            => TextFeatures.UnitMean(golden.Read($"text.{Classes(golden)[index]}.{group}.sentence_embeddings")))]);

    private static torch.Tensor Texts(SafetensorsFile golden, int[] classes)
        => torch.stack([.. classes.Select(index => Text(golden, index))]);

    private static Func<torch.Tensor, torch.Tensor> ToImage(SafetensorsFile golden)
    {
        var (side, size) = (golden.Number("grid"), golden.Number("image_size"));
        return patches => PatchGrid.AlignedCorners(side, size).ToImage(patches, size);
    }
}
