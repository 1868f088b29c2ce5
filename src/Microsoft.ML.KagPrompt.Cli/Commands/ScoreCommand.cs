using System.CommandLine;
using Microsoft.ML.KagPrompt.Cli.Scoring;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Files;

namespace Microsoft.ML.KagPrompt.Cli.Commands;

/// <summary>kagprompt score MODEL INPUT… [--format Table|Jsonl|Csv] [--maps DIR] …</summary>
internal static class ScoreCommand
{
    private static readonly Argument<string> Model = new("MODEL")
    {
        Description = "A model zip, from 'kagprompt fit' or mlContext.Model.Save; or an exported file (.onnx), from 'kagprompt export'.",
    };
    private static readonly Argument<string[]> Inputs = new("INPUT")
    {
        Description = "Image files; folders, with all below them; or -: standard input, an image or a path a line.",
        Arity = ArgumentArity.OneOrMore,
    };
    private static readonly Option<ScoreFormat> Format = new("--format")
    {
        Description = "How scores are written.",
        DefaultValueFactory = _ => ScoreFormat.Table,
        CustomParser = Typed.Choice<ScoreFormat>,
    };
    private static readonly Option<bool> Details = new("--details")
    {
        Description = "Tables and CSV with three more columns: foreign (unlike every support image), unlikeness, reason. "
            + "JSON lines have them always.",
    };
    private static readonly Option<string?> Output = new("--out")
    {
        Description = "Write the scores to this file, which appears when all are known, instead of the output.",
    };
    private static readonly Option<string?> Maps = new("--maps")
    {
        Description = "Write each image's anomaly map into this folder: NAME.npy (the values: 32-bit floats, "
            + "NaN where not inspected) and NAME.png (a picture, on one scale for all images of a class; "
            + "what is above the threshold is outlined).",
    };
    private static readonly Option<bool> ModelSize = new("--model-size")
    {
        Description = "Maps and regions at the model's resolution instead of each image's own.",
    };
    private static readonly Option<string?> Class = new("--class")
    {
        Description = "The class of all images, for a model of several; else the folder names on their paths tell.",
    };
    private static readonly Option<float?> Threshold = new("--threshold")
    {
        Description = "Decide by this score instead of the model's threshold.",
        CustomParser = Typed.NumberOrNone,
    };
    private static readonly Option<bool> Fail = new("--fail-on-anomaly") { Description = "Exit with 1 where any image is anomalous." };
    private static readonly Option<string> Device = DeviceOption.Create();

    public static Verb Create()
    {
        var command = new Verb("score", "Scores images with a model: score, decision, probability, regions. "
            + "Exits with 3 where an image could not be scored; the others are.")
        {
            Model, Inputs, Format, Details, Output, Maps, ModelSize, Class, Threshold, Fail, Device,
        };
        command.SetGuardedAction(Run);
        return command;
    }

    private static int Run(ParseResult parsed, CancellationToken cancellation)
    {
        OutputPlace.RequireFile(parsed.GetValue(Output));
        OutputPlace.RequireFolder(parsed.GetValue(Maps));
        var model = parsed.GetRequiredValue(Model);
        using var scorer = ImageScorer.Load(model, ExportedModel.IsOne(model) ? parsed.GetRequiredValue(Device) : parsed.Usable(Device),
            !parsed.GetValue(ModelSize), parsed.GetValue(Threshold));
        var (inputs, total) = (parsed.GetRequiredValue(Inputs), ImageInputs.Count(parsed.GetRequiredValue(Inputs)) ?? 0);
        RequireKnown(parsed.GetValue(Class), scorer.Model.ClassNames);
        var images = new ImageInputs(scorer.Model.ClassNames, parsed.GetValue(Class),
            scorer.Model.Images, scorer.LeastSide);
        var maps = parsed.GetValue(Maps) is { } folder ? new MapFolder(folder) : null;
        var (done, anomalies, foreign, faults) = (0, 0, 0, 0);
        void Score(TextWriter output, bool onTerminal)
        {
            var writer = new ScoreWriter(output, parsed.GetValue(Format), parsed.GetValue(Details), onTerminal);
            void ScoreAll(Action<string, int, int> tell)
            {
                foreach (var scored in scorer.Score(stop => images.Open(inputs, stop), cancellation))
                {
                    writer.Write(ScoreRecord.From(scored, scored.Fault is null ? maps?.Write(scored) : null));
                    foreign += scored.IsForeign ? 1 : 0;
                    (anomalies, faults) = (anomalies + (scored is { IsAnomalous: true, IsUndecided: false } ? 1 : 0),
                        faults + (scored.Fault is null && !scored.IsUndecided ? 0 : 1));
                    tell("scoring", ++done, total);
                }
            }

            writer.Begin();
            if (onTerminal && parsed.GetValue(Format) != ScoreFormat.Table)
            {
                // Lines that run over the terminal are progress enough.
                ScoreAll((_, _, _) => { });
            }
            else
            {
                ItemProgress.Show("scoring", ScoreAll);
            }

            writer.End();
        }

        if (parsed.GetValue(Output) is { } path)
        {
            WholeFile.Write(path, stream =>
            {
                using var text = new StreamWriter(stream, leaveOpen: true);
                Score(text, onTerminal: false);
            });
        }
        else
        {
            Score(Console.Out, onTerminal: !Console.IsOutputRedirected);
        }

        Console.Error.WriteLine($"{done} image(s), {anomalies} anomalous, {faults} without a verdict");
        if (foreign > 0)
        {
            Console.Error.WriteLine($"{foreign} of the anomalous: {Inspection.ForeignWord}");
        }

        return faults > 0 ? ExitCode.BadInput : anomalies > 0 && parsed.GetValue(Fail) ? ExitCode.AnomaliesFound : ExitCode.Success;
    }

    /// <summary>
    /// A class that the model does not know means another model, or a misspelt name: no image is to be scored against a class that was not
    /// asked for.
    /// </summary>
    internal static void RequireKnown(string? className, IReadOnlyCollection<string> known, string what = "--class")
    {
        if (className is not null && !known.Contains(className))
        {
            throw new KagPromptException($"{what}: the model does not know '{className}'; it knows "
                + $"{string.Join(", ", known.Order(StringComparer.Ordinal).Select(name => $"'{name}'"))}.");
        }
    }
}
