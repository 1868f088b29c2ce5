using Microsoft.ML.KagPrompt.Methods.AprilGan;
using Microsoft.ML.KagPrompt.Methods.Common;
using Microsoft.ML.KagPrompt.Methods.WinClip;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.TestSupport;
using TorchSharp;
using static Microsoft.ML.KagPrompt.Tests.Methods.WinClip.WinClipGolden;

namespace Microsoft.ML.KagPrompt.Tests.Methods.WinClip;

/// <summary>
/// Two other public ports of WinCLIP on the same weights, put together from the library's parts: what the documents say sets them apart is
/// all that does.
/// </summary>
[Trait("Category", "Golden")]
public sealed class WinClipPortsGoldenTests : IDisposable
{
    private const double Tolerance = TensorAssertions.StageTolerance;

    private readonly DisposeScope scope = torch.NewDisposeScope();

    /// <summary>zqhang/Accurate-WinCLIP-pytorch: patches before the last norm; the map is the sum of both maps.</summary>
    [SkippableFact]
    public void Zqhang_PatchesBeforeTheLastNormAndTheSumOfMaps_EqualGolden()
    {
        using var golden = MethodGolden.Open("winclip");
        var (grids, text) = (Grids(golden), golden.Read("text.features_mean_unnormalised"));
        var image = WinClipMaps.Abnormality(golden.Read("tower.image_embedding"), text);
        var words = WinClipMaps.MultiScale(image, [.. grids.Select(grid
            => grid.HarmonicMean(WinClipMaps.Abnormality(golden.Read($"windows{grid.Scale}.embedding"), text)))]);
        Square(words, grids[0]).ShouldBeNear(golden.Read("port_zqhang.zero_shot.map_grid"), Tolerance, "words' map");
        var (vision, texts) = MethodGolden.Towers(golden);
        using var ownedTexts = texts;
        using var ownedVision = vision;
        using var queries = vision.Encode(golden.Read("input.test_images"));
        using var supports = vision.Encode(golden.Read("input.support_images"));
        var patches = queries.PatchTokens[^1];
        patches.ShouldBeClose(golden.Read("port_zqhang.patch_tokens_without_ln_post"), Tolerance, "patches");
        foreach (var shots in golden.Numbers("k_shots"))
        {
            var prefix = $"port_zqhang.few_shot_k{shots}";
            using var bank = Bank(golden, supports.PatchTokens[^1], shots);
            var visual = WinClipMaps.Association(bank.Distances(Queries(golden, patches)), grids).Mean;
            Square(visual, grids[0]).ShouldBeNear(golden.Read($"{prefix}.visual_map_grid"), Tolerance, $"{shots} shots: supports' map");
            ToImage(golden, words.Plus(visual)).ShouldBeNear(golden.Read($"{prefix}.map"), Tolerance, $"{shots} shots: map");
            image.Plus(visual.amax([1])).Times(0.5)
                .ShouldBeNear(golden.Read($"{prefix}.image_score"), Tolerance, $"{shots} shots: scores");
        }
    }

    /// <summary>
    /// caoyunkang/WinClip: windows alone, harmonic in the probability of a sound part, at a temperature of 1/100; supports' maps are
    /// arithmetic means; the first window of three is held against the supports' windows of two; a score is the map's maximum. Its texts are
    /// taken as they are: they come from a list of 22 templates that the library has not, and the file does not hold their sentences.
    /// </summary>
    [SkippableFact]
    public void Caoyunkang_WindowsAloneAndTheirHarmonicFusion_EqualGolden()
    {
        using var golden = MethodGolden.Open("winclip");
        var grids = Grids(golden);
        var text = golden.Read("port_caoyunkang.text.features");
        text.ShouldBeClose(text.UnitLength(1), Tolerance, "texts have unit length");
        var normality = grids.Select(grid => AprilGanMaps.Logits(golden.Read($"windows{grid.Scale}.embedding").UnitLength(-1), text)
            .softmax(-1).select(-1, 0)).Zip(grids, (scores, grid) => grid.HarmonicMean(scores).reciprocal()).ToArray();
        var words = Mean(normality).reciprocal().Complement();
        Square(words, grids[0]).ShouldBeNear(golden.Read("port_caoyunkang.zero_shot.text_map_grid"), Tolerance, "words' map");
        foreach (var shots in golden.Numbers("k_shots"))
        {
            var prefix = $"port_caoyunkang.few_shot_k{shots}";
            using var bank = Bank(golden, golden.Read("support.patch_tokens_ln_post"), shots);
            var distances = bank.Distances(Queries(golden, golden.Read("tower.patch_tokens_ln_post"))).ToArray();
            using var windowsOfTwo = MemoryBank.FromNormalized([bank.Layers[1].clone()]);
            distances[2][.., ..1] = windowsOfTwo.Distances([golden.Read("windows3.embedding").narrow(1, 0, 1)])[0];
            // The harmonic mean of reciprocals is the arithmetic one's reciprocal.
            var visual = Mean([.. grids.Select((grid, i) => grid.HarmonicMean(distances[1 + i].Times(0.5).reciprocal()).reciprocal())]);
            Square(visual, grids[0]).ShouldBeNear(golden.Read($"{prefix}.visual_map_grid"), Tolerance, $"{shots} shots: supports' map");
            var map = ToImage(golden, words.reciprocal().Plus(visual.reciprocal()).reciprocal());
            map.ShouldBeNear(golden.Read($"{prefix}.map"), Tolerance, $"{shots} shots: map");
            map.flatten(1).amax([1]).ShouldBeNear(golden.Read($"{prefix}.image_score"), Tolerance, $"{shots} shots: scores");
        }
    }

    public void Dispose() => scope.Dispose();

    private static torch.Tensor Mean(torch.Tensor[] maps) => torch.stack(maps).mean([0]);
}
