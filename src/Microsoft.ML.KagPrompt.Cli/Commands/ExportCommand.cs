using System.CommandLine;
using System.Globalization;
using Microsoft.ML.KagPrompt.Cli.Exporting;
using Microsoft.ML.KagPrompt.Cli.Scoring;

namespace Microsoft.ML.KagPrompt.Cli.Commands;

/// <summary>
/// kagprompt export MODEL --out FILE.onnx [--precision Float32|Float16] [--quantize None|Memory] [--fixed-size] [--class NAME]
/// [--verify IMAGE…]
/// </summary>
internal static class ExportCommand
{
    private static readonly Argument<string> Model = new("MODEL")
    {
        Description = "A model zip, from 'kagprompt fit' or mlContext.Model.Save.",
    };
    private static readonly Option<string> Output = new("--out")
    {
        Description = "The ONNX file to write (NAME.onnx), which appears whole or not at all. Of several classes each is written "
            + "to one of its own: part.NAME.onnx.",
        Required = true,
    };
    private static readonly Option<OnnxWeightType> Precision = new("--precision")
    {
        Description = "How weights are stored: Float32, or Float16, which takes half the room and moves scores a little.",
        DefaultValueFactory = _ => OnnxWeightType.Float32,
        CustomParser = Typed.Choice<OnnxWeightType>,
    };
    private static readonly Option<OnnxQuantization> Quantize = new("--quantize")
    {
        Description = "What is stored in 8 bit: None, or Memory, the patches of the memory bank, which then take a quarter of the room and "
            + "move scores a little.",
        DefaultValueFactory = _ => OnnxQuantization.None,
        CustomParser = Typed.Choice<OnnxQuantization>,
    };
    private static readonly Option<bool> FixedSize = new("--fixed-size")
    {
        Description = "The file takes images that are S x S already, float32 [N, 3, S, S], for runtimes that cannot resize as it needs.",
    };
    private static readonly Option<string?> Class = new("--class") { Description = "The one class to write; all unless given." };
    private static readonly Option<string[]> Verify = new("--verify")
    {
        Description = "Images or folders that the file must score as the model does, or it is not written and the exit code is 1; "
            + "a few generated pictures unless given.",
        Arity = ArgumentArity.OneOrMore,
        AllowMultipleArgumentsPerToken = true,
    };
    private static readonly Option<float?> Tolerance = VerifyExportCommand.ToleranceOption();

    public static Verb Create()
    {
        var command = new Verb("export", "Writes a model as ONNX files, one a class, that score the same in any runtime of ONNX, without "
            + "libtorch and without .NET.")
        {
            Model, Output, Precision, Quantize, FixedSize, Class, Verify, Tolerance,
        };
        // By its ending the other commands know such a file; and so the model's own is not written over.
        command.Validators.Add(result =>
        {
            if (result.GetValue(Output) is { } output && !output.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase))
            {
                result.AddError($"--out: expected a file name that ends in '.onnx', got '{output}'.");
            }
        });
        command.SetGuardedAction(Run);
        return command;
    }

    private static int Run(ParseResult parsed, CancellationToken cancellation)
    {
        var (zip, output, className) = (parsed.GetRequiredValue(Model), parsed.GetRequiredValue(Output), parsed.GetValue(Class));
        OutputPlace.RequireFile(output, SavedModel.Size(zip));
        using var model = ZipModel.Load(zip, "cpu");
        ScoreCommand.RequireKnown(className, model.ClassNames);
        var classNames = className is null ? model.ClassNames.Order(StringComparer.Ordinal).ToArray() : [className];
        var holds = true;
        foreach (var (name, path) in ClassFiles.Assign(classNames, output))
        {
            cancellation.ThrowIfCancellationRequested();
            using var unproven = new UnprovenFiles(path);
            Write(model.Transformer, unproven.WritePath, new()
            {
                ClassName = name,
                Precision = parsed.GetValue(Precision),
                Quantize = parsed.GetValue(Quantize),
                FixedSize = parsed.GetValue(FixedSize),
            });
            if (Holds(parsed, model, name, unproven.WritePath, classNames.Length > 1, cancellation) is { } length)
            {
                unproven.Accept();
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}: written to {path} ({length / 1e6:0.0} MB)."));
            }
            else
            {
                holds = false;
                Console.Error.WriteLine($"{name}: '{path}' was not written, because it would not score as the model does. "
                    + "Give a larger --tolerance if that is near enough.");
            }
        }

        return holds ? ExitCode.Success : ExitCode.Differs;
    }

    /// <exception cref="KagPromptException">The model cannot be said in ONNX.</exception>
    private static void Write(KagPromptTransformer model, string path, OnnxExportOptions options)
    {
        try
        {
            model.ExportOnnx(path, options);
        }
        catch (NotSupportedException fault)
        {
            throw new KagPromptException(fault.Message, fault);
        }
    }

    /// <summary>
    /// Whether what was written scores as the model does, and if so its length: the images that were given for it or, as a model's zip
    /// holds no photographs, generated ones.
    /// </summary>
    private static long? Holds(ParseResult parsed, ZipModel model, string className, string path, bool isOneOfSeveral,
        CancellationToken cancellation)
    {
        using var file = OnnxInspector.Load(path, VerifyExportCommand.InTheFile);
        var tolerance = parsed.GetValue(Tolerance) ?? ExportCheck.ToleranceOf(file.Info);
        ExportCheck check;
        if (parsed.GetValue(Verify) is { Length: > 0 } inputs)
        {
            var images = new ImageInputs(model.ClassNames, isOneOfSeveral ? null : className, model.Images)
                .Open(inputs, cancellation).Where(image => image.Image.ClassName == className).ToArray();
            if (images.Length == 0)
            {
                throw new InsufficientDataException($"--verify: there is no image of class '{className}': of several classes, "
                    + "the folder names on the images' paths tell which one they are of.");
            }

            check = ExportCheck.Run(model.Transformer.Model, file, images.Select(image => image.Read().Pixels), cancellation);
            foreach (var line in check.Lines(tolerance))
            {
                Console.WriteLine(line);
            }
        }
        else
        {
            check = ExportCheck.Run(model.Transformer.Model, file, GeneratedPictures.For(file.Info), cancellation);
            Console.WriteLine($"{className}: on {GeneratedPictures.Count} generated pictures, {check.Line(tolerance)}");
        }

        return check.Holds(tolerance) ? file.Info.ByteCount : null;
    }
}
