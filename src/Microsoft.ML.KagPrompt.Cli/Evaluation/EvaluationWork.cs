using Microsoft.ML.KagPrompt.Cli.Commands;
using Microsoft.ML.KagPrompt.Cli.Scoring;
using Microsoft.ML.KagPrompt.Evaluation;

namespace Microsoft.ML.KagPrompt.Cli.Evaluation;

/// <summary>Evaluates what the command line asked for.</summary>
internal static class EvaluationWork
{
    /// <summary>Progress goes to the error stream: the table alone is the output.</summary>
    /// <param name="methods">Of one method each; they share data, images and an initial model.</param>
    /// <param name="regions">What --roi says.</param>
    /// <param name="cancellation">Stops between images and steps.</param>
    /// <returns>Of each method.</returns>
    public static IReadOnlyList<FewShotResults> Run(
        IReadOnlyList<EvaluationSettings> methods, string[]? regions, CancellationToken cancellation)
    {
        Action<string> tell = Console.Error.WriteLine;
        FewShotDataset[] datasets = [.. methods[0].Data.Select(path => methods[0].List(path, tell))];
        var regionsByClass = RegionOption.Read(regions, datasets.SelectMany(dataset => dataset.Images).Select(image => image.ClassName));
        EvaluatedMethod[] evaluated = [.. methods.Select(settings => new EvaluatedMethod
        {
            Options = settings.Options with { Regions = regionsByClass },
            Protocol = settings.Protocol with { TrainOn = settings.TrainOn is { } path ? settings.List(path, _ => { }) : null },
        })];
        var (images, reporter) = (new EvaluationFiles(methods[0].Options.Images), new MessageReporter(tell));
        if (methods[0].Initial is not { } zip)
        {
            return FewShotEvaluation.RunAll(datasets, evaluated, images, reporter, cancellation);
        }

        var loaded = SavedModel.Load(zip, methods[0].Options.Device);
        using (loaded as IDisposable)
        {
            var initial = KagPromptTransformer.FindIn(loaded).Model;
            return [.. evaluated.Select(method
                => FewShotEvaluation.Run(datasets, method.Options, images, method.Protocol, initial, reporter, cancellation))];
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
