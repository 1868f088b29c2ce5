using Microsoft.ML.KagPrompt.Cli.Commands;
using Microsoft.ML.KagPrompt.Cli.Scoring;
using Microsoft.ML.KagPrompt.Evaluation;

namespace Microsoft.ML.KagPrompt.Cli.Evaluation;

/// <summary>Evaluates what the command line asked for.</summary>
internal static class EvaluationWork
{
    /// <summary>Progress goes to the error stream: the table alone is the output.</summary>
    public static FewShotResults Run(EvaluationSettings settings, string[]? regions, CancellationToken cancellation)
    {
        Action<string> tell = Console.Error.WriteLine;
        FewShotDataset[] datasets = [.. settings.Data.Select(path => settings.List(path, tell))];
        var protocol = settings.Protocol with { TrainOn = settings.TrainOn is { } path ? settings.List(path, _ => { }) : null };
        var loaded = settings.Initial is { } zip ? SavedModel.Load(zip, settings.Options.Device) : null;
        using (loaded as IDisposable)
        {
            var initial = loaded is null ? null : KagPromptTransformer.FindIn(loaded).Model;
            var options = settings.Options with
            {
                Regions = RegionOption.Read(regions, datasets.SelectMany(dataset => dataset.Images).Select(image => image.ClassName)),
            };
            return FewShotEvaluation.Run(
                datasets, options, new EvaluationFiles(settings.Options.Images), protocol, initial,
                new MessageReporter(tell), cancellation);
        }
    }

    /// <summary>
    /// Begins every method and computes nothing: the last one's lack must not come to light when the first one's hours are over.
    /// </summary>
    /// <exception cref="ArgumentException">A method cannot begin, or the initial model is another's.</exception>
    public static void Check(EvaluationSettings settings)
    {
        var loaded = settings.Initial is { } zip ? SavedModel.Load(zip, settings.Options.Device) : null;
        using (loaded as IDisposable)
        {
            var initial = loaded is null ? null : KagPromptTransformer.FindIn(loaded).Model;
            foreach (var own in settings.PerMethod())
            {
                KagPromptTrainer.Check(own.Options, initial);
            }
        }
    }

    /// <summary>Reported on the thread that works, in order.</summary>
    private sealed class MessageReporter(Action<string> tell) : IProgress<FewShotProgress>
    {
        public void Report(FewShotProgress value) => tell(value.Message);
    }
}
