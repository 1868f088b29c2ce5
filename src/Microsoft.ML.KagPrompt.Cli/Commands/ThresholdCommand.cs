using System.CommandLine;
using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.Cli.Scoring;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Cli.Commands;

/// <summary>kagprompt threshold MODEL (--show | --set SCORE | --false-rejects RATE) [--class NAME] [--out NEW]</summary>
internal static class ThresholdCommand
{
    private static readonly Argument<string> Model = new("MODEL")
    {
        Description = "A model zip, from 'kagprompt fit' or mlContext.Model.Save.",
    };
    private static readonly Option<string?> Class = new("--class")
    {
        Description = "The class whose threshold is meant; every class's unless given.",
    };
    private static readonly Option<float?> Score = new("--set")
    {
        Description = "The threshold: scores above it are called anomalous.",
        CustomParser = Typed.NumberOrNone,
    };
    private static readonly Option<float?> Rate = new("--false-rejects")
    {
        Description = "Place it by the share of normal parts that it may reject, above 0 to 0.5, from the normal scores in the model.",
        CustomParser = Typed.NumberOrNone,
    };
    private static readonly Option<bool> Show = new("--show")
    {
        Description = "Tell the threshold and what it rests on, and change nothing.",
    };
    private static readonly Option<string?> Output = new("--out")
    {
        Description = "The model zip to write, which may be MODEL itself. It appears whole or not at all.",
    };

    public static Verb Create()
    {
        var command = new Verb("threshold", "Shows a model's threshold, or moves it and writes the model anew; nothing is fitted, "
            + "and scores stay as they are.")
        {
            Model, Show, Score, Rate, Class, Output,
        };
        command.Validators.Add(result =>
        {
            var asked = new Option[] { Show, Score, Rate }.Count(option => result.GetResult(option) is { Implicit: false });
            if (asked != 1)
            {
                result.AddError($"Expected one of --show, --set and --false-rejects, got {asked}.");
            }
            else if ((result.GetResult(Show) is { Implicit: false }) == (result.GetResult(Output) is { Implicit: false }))
            {
                result.AddError(result.GetResult(Output) is null or { Implicit: true }
                    ? "--out is required with --set and --false-rejects: the model zip to write, which may be MODEL itself."
                    : "--show writes nothing: leave out --out.");
            }
        });
        command.SetGuardedAction(Run);
        return command;
    }

    private static int Run(ParseResult parsed, CancellationToken cancellation)
    {
        var (zip, className, output) = (parsed.GetRequiredValue(Model), parsed.GetValue(Class), parsed.GetValue(Output));
        OutputPlace.RequireFile(output, SavedModel.Size(zip));
        var loaded = SavedModel.Load(zip, "cpu", out var schema);
        using var held = loaded as IDisposable;
        var before = KagPromptTransformer.FindIn(loaded);
        if (output is null)
        {
            ModelSummary.WriteThresholds(before, className);
            return ExitCode.Success;
        }

        using var moved = parsed.GetValue(Score) is { } score
            ? before.WithThreshold(score, className)
            : before.WithFalseRejectRate(parsed.GetValue(Rate)!.Value, className);
        cancellation.ThrowIfCancellationRequested();
        SavedModel.Save(Replaced(loaded, before, moved), schema, output);
        ModelSummary.WriteThresholds(moved, className);
        ModelSummary.WritePlace(output);
        return ExitCode.Success;
    }

    /// <summary>A pipeline with one part in another's place.</summary>
    private static ITransformer Replaced(ITransformer model, ITransformer part, ITransformer by)
        => ReferenceEquals(model, part)
            ? by
            : model is IEnumerable<ITransformer> chain
                ? new TransformerChain<ITransformer>([.. chain.Select(each => Replaced(each, part, by))])
                : model;
}
