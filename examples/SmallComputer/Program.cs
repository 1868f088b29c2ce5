// Scores a folder of photographs with an exported model, on a computer that has no libtorch.
//   SmallComputer FILE.onnx FOLDER [THREADS]
// A line an image: what it is, its score, and how long it took. Exits with 1 where one is anomalous.
using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.KagPrompt;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args.Length is < 2 or > 3 || !int.TryParse(args.ElementAtOrDefault(2) ?? "1", NumberStyles.None, CultureInfo.InvariantCulture, out var threads))
{
    Console.Error.WriteLine("Usage: SmallComputer FILE.onnx FOLDER [THREADS]");
    return 2;
}

try
{
    if (!Directory.Exists(args[1]))
    {
        throw new DirectoryNotFoundException($"There is no folder '{args[1]}'.");
    }

    using var inspector = OnnxInspector.Load(args[0], new OnnxInspectorOptions { Threads = args.Length == 3 ? threads : null });
    Console.WriteLine($"{inspector.Info.ClassName}: {inspector.Info.Calibration.Explanation}");
    var (anomalous, faults) = (0, 0);
    foreach (var path in PhotographFiles.Below(args[1]))
    {
        var name = Path.GetRelativePath(args[1], path);
        try
        {
            var started = Stopwatch.GetTimestamp();
            var verdict = inspector.Inspect(path);
            var time = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
            anomalous += verdict.IsAnomalous ? 1 : 0;
            Console.WriteLine($"{name}: {(verdict.IsAnomalous ? $"ANOMALOUS ({verdict.Reason})" : "good")}, "
                + $"score {verdict.Score:0.0000}, {time:0} ms");
        }
        catch (KagPromptException fault)
        {
            // One that cannot be read is no reason not to look at the others.
            faults++;
            Console.Error.WriteLine(fault.Message);
        }
    }

    return faults > 0 ? 3 : anomalous > 0 ? 1 : 0;
}
catch (Exception fault) when (fault is KagPromptException or IOException or UnauthorizedAccessException or ArgumentException)
{
    Console.Error.WriteLine(fault.Message);
    return 3;
}
