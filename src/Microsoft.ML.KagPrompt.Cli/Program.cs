using System.CommandLine;
using Microsoft.ML.KagPrompt.Cli;
using Microsoft.ML.KagPrompt.Cli.Commands;

var root = new RootCommand("Few-shot visual inspection with Microsoft.ML.KagPrompt: models, figures, backbones.")
{
    FitCommand.Create(), AdaptCommand.Create(), ScoreCommand.Create(), ReportCommand.Create(), EvaluateCommand.Create(), ConvertCommand.Create(), InfoCommand.Create(),
};
var parsed = root.Parse(args);
var code = await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = Timeout.InfiniteTimeSpan });
return parsed.Errors.Count > 0 ? ExitCode.Usage : code;
