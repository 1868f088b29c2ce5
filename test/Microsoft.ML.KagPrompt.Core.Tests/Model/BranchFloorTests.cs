using Microsoft.ML.KagPrompt.TestSupport;

namespace Microsoft.ML.KagPrompt.Tests.Model;

/// <summary>
/// Each branch alone still finds defects on photographs of real parts: what golden values of single steps cannot say, that the steps are
/// joined in the right order, with the right texts, colours and weights.
/// </summary>
public class BranchFloorTests
{
    private static readonly ScoreFusion[] Branches =
    [
        new() { Branches = ScoringBranches.MemoryBank }, ScoreFusion.Paper with { Branches = ScoringBranches.Prompt },
    ];

    /// <param name="set">Photographs with defects of every kind it has.</param>
    /// <param name="bank">The least image AUROC of the memory bank alone, a few points below what it reaches.</param>
    /// <param name="prompt">The least pixel AUROC of the compact backbone's own prompt alone; which images are defective, it hardly tells.</param>
    [SkippableTheory]
    [InlineData("aws_cookie", 0.97, 0.91)]
    [InlineData("magnetic_tile", 0.71, 0.61)]
    public void InspectFusions_OneBranchOnRealParts_FindsDefectsAboveItsFloor(string set, double bank, double prompt)
    {
        var data = AnomalyDataset.List(SharedFiles.Data(set)).OrderBy(image => image.Path, StringComparer.Ordinal).ToArray();
        var supports = data.Where(image => image.Split == DatasetSplit.Train).Take(4);
        using var model = KagPromptTrainer.Fit(supports.Select(image => new TrainingImage { Image = TestImages.Read(image.Path) }),
            new FitChoices { Epochs = 0, Seed = 1 });
        // Of the test images every third.
        var test = data.Where(image => image.Split == DatasetSplit.Test).Where((_, i) => i % 3 == 0).ToArray();
        var scores = new List<float>();
        var maps = new MapStatistics();
        foreach (var batch in test.Chunk(8))
        {
            var fused = model.InspectFusions([.. batch.Select(image => TestImages.Read(image.Path))], new string?[batch.Length], Branches);
            foreach (var (image, ways) in batch.Zip(fused))
            {
                scores.Add(ways[0].Score);
                maps.Add(ways[1].Map, Mask(image, model.MapSize), model.MapSize, model.MapSize, image.IsAnomalous == true);
            }
        }

        bool[] labels = [.. test.Select(image => image.IsAnomalous == true)];
        RocMetrics.Auroc([.. scores], labels).Should().BeGreaterThan(bank, "the memory bank alone");
        maps.Compute().Auroc.Value.Should().BeGreaterThan(prompt, "the prompt alone");
    }

    /// <summary>The nearest pixel of the mask for each of the map.</summary>
    private static bool[] Mask(DatasetImage image, int side)
    {
        if (image.MaskPath is null)
        {
            return [];
        }

        var mask = TestImages.Read(image.MaskPath);
        return [.. Enumerable.Range(0, side * side).Select(i
            => mask.Rgb[3 * ((i / side * mask.Height / side * mask.Width) + (i % side * mask.Width / side))] > 127)];
    }
}
