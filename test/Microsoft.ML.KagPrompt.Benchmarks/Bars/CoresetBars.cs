namespace Microsoft.ML.KagPrompt.Benchmarks.Bars;

/// <summary>What a tenth of the patches, chosen greedily, loses of what all of them rank: PatchCore on real photographs.</summary>
internal static class CoresetBars
{
    private const int Shots = 4;

    /// <param name="folders">Of data sets.</param>
    public static Bar Loss(IReadOnlyList<string> folders)
    {
        var all = Auroc(folders, new PatchCoreOptions { Coreset = CoresetKind.None });
        var tenth = Auroc(folders, new PatchCoreOptions { Coreset = CoresetKind.Greedy, CoresetShare = 0.1f });
        return new(100 * (all - tenth), 0.5, "points of image AUROC");
    }

    private static double Auroc(IReadOnlyList<string> folders, PatchCoreOptions method)
    {
        var options = new InspectionOptions { Method = method, Device = "cpu" };
        FewShotDataset[] sets = [.. folders.Select(folder => new FewShotDataset(Path.GetFileName(folder), AnomalyDataset.List(folder)) { Folder = folder })];
        return FewShotEvaluation.Run(sets, options, new EvaluationFiles(), new() { Shots = [Shots], Draws = 1 }).Cells.Average(cell => cell.ImageAuroc!.Value);
    }
}
