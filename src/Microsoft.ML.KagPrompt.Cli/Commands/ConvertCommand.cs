using System.CommandLine;
using Microsoft.ML.KagPrompt.Backbones;

namespace Microsoft.ML.KagPrompt.Cli.Commands;

/// <summary>kagprompt convert IN --out DIR [--type float16|bfloat16|float32]</summary>
internal static class ConvertCommand
{
    public static Verb Create()
    {
        var source = new Argument<string>("IN")
        {
            Description = "A checkpoint (.safetensors, its index, .pth, .pt, .bin), or a model repository's directory.",
        };
        var destination = new Option<string>("--out")
        {
            Description = "The directory to make. It appears whole or not at all; a conversion that was stopped goes on where it was.",
            Required = true,
        };
        var type = new Option<WeightType>("--type")
        {
            Description = "How weights are stored.",
            DefaultValueFactory = _ => WeightType.Float16,
            CustomParser = Typed.Choice<WeightType>,
        };
        var command = new Verb("convert", "Turns a published checkpoint into a backbone directory: manifest, safetensors, vocabulary.")
        {
            source, destination, type,
        };
        command.SetGuardedAction((parsed, cancellation) =>
        {
            var (from, to) = (parsed.GetRequiredValue(source), parsed.GetRequiredValue(destination));
            BackboneDescription? made = null;
            ByteProgress.Show("Converting",
                progress => made = BackboneConverter.Convert(from, to, parsed.GetValue(type), progress, cancellation));
            DescriptionTable.Write(made!);
        });
        return command;
    }
}
