namespace Microsoft.ML.KagPrompt.Benchmarks.Bars;

/// <summary>
/// What a tenth of the patches, chosen greedily, loses of what all of them rank: KAG-prompt's memory bank or PatchCore's, whichever loses
/// more, on real photographs.
/// </summary>
internal static class CoresetBars
{
    private const int Shots = 4;

    /// <param name="folders">Of data sets.</param>
    public static Bar Loss(IReadOnlyList<string> folders)
    {
        var losses = new (MethodOptions All, MethodOptions Tenth)[]
        {
            (new KagOptions { Coreset = CoresetOptions.Off }, new KagOptions { Coreset = new() { Share = 0.1f } }),
            (new PatchCoreOptions { Coreset = CoresetKind.None }, new PatchCoreOptions { Coreset = CoresetKind.Greedy, CoresetShare = 0.1f }),
        }.Select(pair => Auroc(folders, pair.All) - Auroc(folders, pair.Tenth));
        return new(100 * losses.Max(), 0.5, "points of image AUROC");
    }

    private static double Auroc(IReadOnlyList<string> folders, MethodOptions method)
    {
        var options = new InspectionOptions { Method = method, Device = "cpu" };
        FewShotDataset[] sets = [.. folders.Select(folder => new FewShotDataset(Path.GetFileName(folder), AnomalyDataset.List(folder)) { Folder = folder })];
        return FewShotEvaluation.Run(sets, options, new EvaluationFiles(), new() { Shots = [Shots], Draws = 1 }).Cells.Average(cell => cell.ImageAuroc!.Value);
    }
}
