using System.CommandLine;
using System.Globalization;
using Microsoft.ML.KagPrompt;
using Microsoft.ML.KagPrompt.Cli;
using Microsoft.ML.KagPrompt.Cli.Commands;

// Whatever the environment says: numbers and messages are the same everywhere.
CultureInfo.CurrentCulture = CultureInfo.CurrentUICulture = CultureInfo.InvariantCulture;
CultureInfo.DefaultThreadCurrentCulture = CultureInfo.DefaultThreadCurrentUICulture = CultureInfo.InvariantCulture;
var debug = args.Contains(LastResort.Debug.Name);
LastResort.Install(debug);
// The process is the tool's own, and runs networks until it ends.
NativeHeap.Keep();
try
{
    var root = new RootCommand("Few-shot visual inspection with Microsoft.ML.KagPrompt: models, figures, backbones.")
    {
        FitCommand.Create(), AdaptCommand.Create(), ScoreCommand.Create(), ReportCommand.Create(), EvaluateCommand.Create(),
        CompareCommand.Create(), ThresholdCommand.Create(), ExportCommand.Create(), VerifyExportCommand.Create(),
        ConvertCommand.Create(), InfoCommand.Create(),
        LastResort.Debug,
    };
    var parsed = root.Parse(args);
    return UsageErrors.Find(parsed) is { Count: > 0 } errors ? UsageErrors.Tell(parsed, errors)
        : await parsed.InvokeAsync(new InvocationConfiguration
    {
        EnableDefaultExceptionHandler = false,
        ProcessTerminationTimeout = Timeout.InfiniteTimeSpan,
    });
}
catch (Exception fault)
{
    return LastResort.Unexpected(fault, debug);
}
