using System.Globalization;
using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Backbones.Vit;
using Microsoft.ML.KagPrompt.Checkpoints;
using Microsoft.ML.KagPrompt.Methods;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Methods.PromptAd;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;

namespace Microsoft.ML.KagPrompt.Tests.Methods.PromptAd;

/// <summary>Every stage of PromptAD against what the authors' code computed.</summary>
[Trait("Category", "Golden")]
public sealed class PromptAdGoldenTests : IDisposable
{
    private const double GradientShare = 1e-3;

    private readonly DisposeScope scope = torch.NewDisposeScope();
    private readonly SafetensorsFile golden;
    private readonly VisionTransformer vision;
    private readonly TextTransformer text;
    private readonly float scale;

    public PromptAdGoldenTests()
    {
        golden = MethodGolden.Open("promptad");
        (vision, text) = MethodGolden.Towers(golden);
        scale = golden.Read("logit_scale").item<float>();
    }

    [SkippableFact]
    public void EncodeValuePath_BothStreams_EqualGolden()
    {
        using var noGradients = torch.no_grad();
        var first = golden.Read("input.support_images").narrow(0, 0, 1);
        var (originals, values) = (golden.Read("vision.block_original_path"), golden.Read("vision.block_vv_path"));
        var blocks = 0;
        foreach (var step in vision.ValueSteps(first))
        {
            Close(step.Original[0], originals[blocks], $"ordinary stream after block {blocks}");
            Close(step.Value[0], values[blocks], $"stream of values after block {blocks}");
            blocks++;
        }

        blocks.Should().Be(golden.Number("vision_layers"));
        foreach (var (step, block) in vision.ValueSteps(golden.Read("input.support_images")).Select((step, block) => (step, block)))
        {
            if (golden.Entries.ContainsKey($"vision.block{block}_output_original_path"))
            {
                Close(step.Original.narrow(1, 1, step.Original.shape[1] - 1), golden.Read($"vision.block{block}_output_original_path"),
                    $"patches after block {block}");
            }
        }

        using var supports = Encode("support");
        using var tests = Encode("test");
        Close(supports.Attended[0], golden.Read("vision.mid1_as_used"), "first bank's patches as they are used");
        Close(supports.Attended[1], golden.Read("vision.mid2_as_used"), "second bank's patches as they are used");
        Close(supports.ImageEmbedding, golden.Read("vision.support.cls_projected"), "class token");
        Close(supports.PatchEmbeddings, golden.Read("vision.support.patch_projected"), "patches");
        Close(supports.ImageEmbedding.UnitLength(-1), golden.Read("vision.support.cls_normalised"), "class token at unit length");
        Close(supports.PatchEmbeddings.UnitLength(-1), golden.Read("vision.support.patch_normalised"), "patches at unit length");
        Close(tests.ImageEmbedding.UnitLength(-1), golden.Read("vision.test.cls_normalised"), "class token of the tests");
        Close(tests.PatchEmbeddings.UnitLength(-1), golden.Read("vision.test.patch_normalised"), "patches of the tests");
        Close(tests.Attended[0].UnitLength(-1), golden.Read("vision.test.mid1_normalised"), "first bank's patches of the tests");
        Close(tests.Attended[1].UnitLength(-1), golden.Read("vision.test.mid2_normalised"), "second bank's patches of the tests");
    }

    [SkippableTheory]
    [InlineData("seg")]
    [InlineData("cls")]
    public void Embeddings_GivenWords_PromptsAndFeaturesEqualGolden(string task)
    {
        using var prompts = Prompts(task, "before");
        using var noGradients = torch.no_grad();
        var (rows, features) = (prompts.Embeddings(), prompts.Features());
        foreach (var (kind, embedded, encoded) in new[] { ("normal", rows.Normal, features.Normal),
            ("abnormal_handcrafted", rows.Handcrafted, features.Handcrafted), ("abnormal_learned", rows.Learned, features.Learned) })
        {
            Close(embedded, golden.Read($"{task}.prompt.{kind}.embeddings"), $"{kind} prompts");
            Close(encoded, golden.Read($"{task}.text.{kind}.features.before"), $"{kind} prompts' features");
        }

        Close(prompts.Gallery(), golden.Read($"{task}.text.gallery.before"), "directions before training");
    }

    [SkippableTheory]
    [InlineData("seg", "vision.support.patch_normalised")]
    [InlineData("cls", "vision.support.cls_normalised")]
    public void Train_GoldenSupports_EveryStepEqualsGolden(string task, string features)
    {
        using var prompts = Prompts(task, "before");
        var trainer = new PromptTrainer(Options);
        trainer.Train(prompts, golden.Read(features), text.StoredLogitScale, (step, losses) =>
        {
            var prefix = $"{task}.train.step{step + 1}";
            if (step > 0)
            {
                WordsShouldBe(prompts, $"{task}.train.step{step}.after");
                Close(losses.Anchors.Normal, golden.Read($"{prefix}.anchor_normal"), "normal anchor");
                Close(losses.Anchors.Abnormal, golden.Read($"{prefix}.anchor_abnormal"), "abnormal anchor");
                Close(losses.Means.Handcrafted, golden.Read($"{prefix}.mean_abnormal_handcrafted"), "mean of given abnormal prompts");
                Close(losses.Means.Learned, golden.Read($"{prefix}.mean_abnormal_learned"), "mean of learned abnormal prompts");
            }

            Close(losses.Logits, golden.Read($"{prefix}.logits"), $"{prefix}.logits");
            Close(losses.Contrastive, golden.Read($"{prefix}.loss_contrastive"), $"{prefix}.loss_contrastive");
            Close(losses.Triplet, golden.Read($"{prefix}.loss_triplet"), $"{prefix}.loss_triplet");
            Close(losses.Alignment, golden.Read($"{prefix}.loss_match_eam"), $"{prefix}.loss_match_eam");
            Close(losses.Total, golden.Read($"{prefix}.loss_total"), $"{prefix}.loss_total");
            trainer.Rate(step).Should().BeApproximately(golden.Read($"{prefix}.learning_rate").item<float>(), 1e-7);
            prompts.NormalWords.grad!.ShouldBeNear(golden.Read($"{prefix}.grad.normal_ctx"), GradientShare, $"{prefix}.grad.normal_ctx");
            prompts.AbnormalWords.grad!.ShouldBeNear(golden.Read($"{prefix}.grad.abnormal_ctx"), GradientShare,
                $"{prefix}.grad.abnormal_ctx");
        }, CancellationToken.None);

        WordsShouldBe(prompts, $"{task}.train.step{Options.Epochs}.after");
        Close(prompts.Gallery(), golden.Read($"{task}.text.gallery.after"), "directions after training");
    }

    [SkippableFact]
    public void Score_GoldenImages_EveryStageEqualsGolden()
    {
        var (side, grid) = (golden.Number("out_size"), golden.Number("grid"));
        // No backbone has a grid that does not divide its image; golden files may.
        var isOfABackbone = MethodSizesOf.CanTile(grid, side);
        var sizes = MethodSizesOf.Tiles(grid, isOfABackbone ? side : grid, golden.Number("joint"),
            [.. vision.Info.TapWidths]) with { Tower = vision };
        using var method = new PromptAdOptions().Create(new MethodStart(sizes, "golden", [], null, 0));
        using var all = Encode("support");
        using var tests = Encode("test");
        var supports = Enumerable.Range(0, golden.Number("k_shot")).Select(image =>
        {
            using var one = new ValuePathFeatures(all.ImageEmbedding.narrow(0, image, 1), all.PatchEmbeddings.narrow(0, image, 1),
                [.. all.Attended.Select(layer => layer.narrow(0, image, 1))]);
            return method.Remember(one);
        }).ToArray();
        var directions = torch.cat([golden.Read("seg.text.gallery.after"), golden.Read("cls.text.gallery.after")], 0).Times(scale);
        using var reference = (PromptAdReference)method.BuildReference(supports, directions);
        Close(reference.Bank.Layers[0], golden.Read("bank.layer1"), "first bank");
        Close(reference.Bank.Layers[1], golden.Read("bank.layer2"), "second bank");

        var visual = PromptAdMaps.Visual(reference.Bank, tests.Attended, null).Values;
        var textual = PromptAdMaps.Textual(tests.PatchEmbeddings, reference.ForPatches);
        var fused = PromptAdMaps.Fused(textual, visual);
        Close(Square(visual), golden.Read("seg.inference.visual_map_grid"), "visual map");
        Close(Square(visual), golden.Read("cls.inference.visual_map_grid"), "visual map of the image's score");
        Close(Square(textual), golden.Read("seg.inference.text_map_grid"), "text map");
        Close(Square(fused), golden.Read("seg.inference.fused_map_grid"), "fused map");
        Close(PatchGrid.Tiling(grid, side).ToImage(fused, side), golden.Read("seg.inference.fused_map_resized"), "fused map, enlarged");
        Close(PatchGrid.Tiling(grid, side).ToImage(visual, side), golden.Read("cls.inference.visual_map_resized"), "visual map, enlarged");
        Close(PromptAdMaps.Textual(tests.ImageEmbedding, reference.ForImages), golden.Read("cls.inference.text_score"), "text score");

        using var scored = method.Score(tests, reference);
        var enlarged = PatchGrid.Tiling(grid, side);
        Close(isOfABackbone ? scored.Maps : GaussianBlur.Apply(enlarged.ToImage(fused, side), golden.Number("gaussian_sigma_seg")),
            golden.Read("seg.inference.map"), "map");
        var largest = InspectedPixels.Largest(enlarged.ToImage(visual, side), null);
        Close(isOfABackbone ? scored.Scores : PromptAdMaps.Fused(largest, PromptAdMaps.Textual(tests.ImageEmbedding, reference.ForImages)),
            golden.Read("cls.inference.image_score"), "image score");

        torch.Tensor Square(torch.Tensor cells) => cells.view(-1, grid, grid);
    }

    public void Dispose()
    {
        vision.Dispose();
        text.Dispose();
        golden.Dispose();
        scope.Dispose();
    }

    private PromptAdOptions Options => new()
    {
        Epochs = golden.Number("epochs_T_max"),
        LearningRate = Fraction("lr"),
        Momentum = Fraction("momentum"),
        WeightDecay = Fraction("weight_decay"),
        AlignmentWeight = Fraction("lambda1"),
        NormalWords = golden.Number("n_ctx"),
        AbnormalWords = golden.Number("n_ctx_ab"),
    };

    private static void Close(torch.Tensor actual, torch.Tensor expected, string because)
        => actual.ShouldBeClose(expected, TensorAssertions.StageTolerance, because);

    private float Fraction(string name) => float.Parse(golden.Metadata[name], CultureInfo.InvariantCulture);

    private ValuePathFeatures Encode(string images)
        => vision.EncodeValuePath(golden.Read($"input.{images}_images"),
        [.. golden.Numbers("mid_blocks_zero_based").Select(block => block + 1)]);

    private void WordsShouldBe(LearnedPrompts prompts, string prefix)
    {
        Close(prompts.NormalWords, golden.Read($"{prefix}.normal_ctx"), $"{prefix}.normal_ctx");
        Close(prompts.AbnormalWords, golden.Read($"{prefix}.abnormal_ctx"), $"{prefix}.abnormal_ctx");
    }

    private LearnedPrompts Prompts(string task, string when) => new(text,
        new PromptTokens(golden.Read($"{task}.prompt.normal.tokens"), golden.Read($"{task}.prompt.abnormal_handcrafted.tokens"),
            golden.Read($"{task}.prompt.abnormal_learned.tokens")),
        golden.Read($"{task}.prompt.normal_ctx.{when}"), golden.Read($"{task}.prompt.abnormal_ctx.{when}"));
}
