using System.CommandLine;
using Microsoft.ML.KagPrompt.Cli.Exporting;
using Microsoft.ML.KagPrompt.Cli.Scoring;

namespace Microsoft.ML.KagPrompt.Cli.Commands;

/// <summary>kagprompt verify-export MODEL FILE.onnx IMAGE… [--tolerance SCORE]</summary>
internal static class VerifyExportCommand
{
    private static readonly Argument<string> Model = new("MODEL") { Description = "The model zip that was exported." };
    private static readonly Argument<string> Exported = new("FILE") { Description = "The ONNX file that was written." };
    private static readonly Argument<string[]> Inputs = new("INPUT")
    {
        Description = "Image files, or folders with all below them, of the file's class.",
        Arity = ArgumentArity.OneOrMore,
    };
    private static readonly Option<float?> Tolerance = ToleranceOption();

    /// <summary>As other programs have it: the file's own resizing.</summary>
    public static OnnxInspectorOptions InTheFile { get; } = new() { Resizing = OnnxResizing.InTheFile };

    public static Option<float?> ToleranceOption() => new("--tolerance")
    {
        Description = "How much scores may differ, and maps ten times as much, of images brought to the model's size as the model does it; "
            + "0.0001 unless given, 0.001 of Float16 files, 0.002 of patches in 8 bit. Five times as much where the file resizes them. "
            + "Of methods whose maps exceed 1, times the largest value of a map.",
        CustomParser = Typed.NumberOrNone,
    };

    public static Verb Create()
    {
        var command = new Verb("verify-export", "Scores images with a model and with a file that was exported from it, and tells "
            + "the largest differences and the times of both. Exits with 1 where they differ by more than the tolerance, or in a decision.")
        {
            Model, Exported, Inputs, Tolerance,
        };
        command.SetGuardedAction(Run);
        return command;
    }

    private static int Run(ParseResult parsed, CancellationToken cancellation)
    {
        using var file = OnnxInspector.Load(parsed.GetRequiredValue(Exported), InTheFile);
        using var model = ZipModel.Load(parsed.GetRequiredValue(Model), "cpu");
        ScoreCommand.RequireKnown(file.Info.ClassName, model.ClassNames, "FILE");
        if (!ExportCheck.IsOf(model.Transformer.Model, file.Info))
        {
            Console.Error.WriteLine("The file was exported from another state of the model: its SHA-256 is another.");
        }

        var images = new ImageInputs(model.ClassNames, file.Info.ClassName, model.Images)
            .Open(parsed.GetRequiredValue(Inputs), cancellation).Select(image => image.Read().Pixels);
        var check = ExportCheck.Run(model.Transformer.Model, file, images, cancellation);
        var tolerance = parsed.GetValue(Tolerance) ?? ExportCheck.ToleranceOf(file.Info);
        foreach (var line in check.Lines(tolerance))
        {
            Console.WriteLine(line);
        }

        if (check.Holds(tolerance))
        {
            return ExitCode.Success;
        }

        Console.Error.WriteLine("The file does not score as the model does: export it again from this model, "
            + "or give a larger --tolerance.");
        return ExitCode.Differs;
    }
}
