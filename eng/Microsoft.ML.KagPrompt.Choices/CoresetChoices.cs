using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.KagPrompt.Evaluation;

namespace Microsoft.ML.KagPrompt.Choices;

/// <summary>What a coreset of the supports' patches costs and gains: default models that keep more or fewer of them.</summary>
internal static class CoresetChoices
{
    /// <summary>Prints a row for each number of supports and each choice: means over the sets and draws, and the time of all.</summary>
    /// <param name="folders">The sets.</param>
    /// <param name="shots">Numbers of supports.</param>
    /// <param name="draws">Of the supports.</param>
    /// <param name="choices">"SHARE:PICTURES"; "all": no coreset.</param>
    /// <param name="output">Where rows go.</param>
    public static void Run(IReadOnlyList<string> folders, IReadOnlyList<int> shots, int draws, IReadOnlyList<string> choices, TextWriter output)
    {
        var sets = folders.Select(folder => new FewShotDataset(
            Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))), AnomalyDataset.List(folder)) { Folder = folder }).ToArray();
        output.WriteLine("| photographs | kept | image AUROC | pixel AUROC | missed | false rejects | balanced error | best possible | seconds |");
        output.WriteLine("|---|---|---|---|---|---|---|---|---|");
        foreach (var (count, choice) in shots.SelectMany(_ => choices, (count, choice) => (count, choice)))
        {
            var options = new InspectionOptions { Method = new KagOptions { Coreset = Parsed(choice) } };
            var watch = Stopwatch.StartNew();
            var cells = FewShotEvaluation.Run(sets, options, new EvaluationFiles(), new() { Shots = [count], Draws = draws }).Cells;
            double?[] means = [Mean(cell => cell.ImageAuroc), Mean(cell => cell.PixelAuroc), Mean(cell => cell.MissRate), Mean(cell => cell.FalseRejectRate),
                Mean(cell => cell.BalancedError), Mean(cell => cell.BalancedErrorBest)];
            output.WriteLine($"| {count} | {choice} | {string.Join(" | ", means.Select(Text))} | {watch.Elapsed.TotalSeconds:0} |");

            double? Mean(Func<FewShotCell, double?> part) => cells.Select(part).Where(value => value is not null).Average();
        }
    }

    private static string Text(double? value) => value is null ? "–" : (100 * value.Value).ToString("0.00", CultureInfo.InvariantCulture);

    private static CoresetOptions Parsed(string choice) => choice.Split(':') is [var share, var pictures]
        ? new() { Share = float.Parse(share, CultureInfo.InvariantCulture), Pictures = int.Parse(pictures, CultureInfo.InvariantCulture) }
        : CoresetOptions.Off;
}
