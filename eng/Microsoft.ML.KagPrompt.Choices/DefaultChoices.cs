using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.KagPrompt.Evaluation;

namespace Microsoft.ML.KagPrompt.Choices;

/// <summary>Default models, one of whose options is chosen this way and that.</summary>
internal static class DefaultChoices
{
    /// <summary>Prints a row for each number of supports and each choice: means over the sets and draws, and the time of all.</summary>
    /// <param name="folders">The sets.</param>
    /// <param name="shots">Numbers of supports.</param>
    /// <param name="draws">Of the supports.</param>
    /// <param name="choices">What the option may be.</param>
    /// <param name="optionsOf">The model's options with it.</param>
    /// <param name="output">Where rows go.</param>
    public static void Run(IReadOnlyList<string> folders, IReadOnlyList<int> shots, int draws, IReadOnlyList<string> choices,
        Func<string, InspectionOptions> optionsOf, TextWriter output)
    {
        var sets = folders.Select(folder => new FewShotDataset(
            Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))), AnomalyDataset.List(folder)) { Folder = folder }).ToArray();
        output.WriteLine("| photographs | choice | image AUROC | pixel AUROC | missed | false rejects | balanced error | best possible | seconds |");
        output.WriteLine("|---|---|---|---|---|---|---|---|---|");
        foreach (var (count, choice) in shots.SelectMany(_ => choices, (count, choice) => (count, choice)))
        {
            var watch = Stopwatch.StartNew();
            var cells = FewShotEvaluation.Run(sets, optionsOf(choice), new EvaluationFiles(), new() { Shots = [count], Draws = draws }).Cells;
            double?[] means = [Mean(cell => cell.ImageAuroc), Mean(cell => cell.PixelAuroc), Mean(cell => cell.MissRate), Mean(cell => cell.FalseRejectRate),
                Mean(cell => cell.BalancedError), Mean(cell => cell.BalancedErrorBest)];
            output.WriteLine($"| {count} | {choice} | {string.Join(" | ", means.Select(Text))} | {watch.Elapsed.TotalSeconds:0} |");

            double? Mean(Func<FewShotCell, double?> part) => cells.Select(part).Where(value => value is not null).Average();
        }
    }

    private static string Text(double? value) => value is null ? "–" : (100 * value.Value).ToString("0.00", CultureInfo.InvariantCulture);
}
