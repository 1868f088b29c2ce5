using System.CommandLine;
using System.Text.Json;
using Microsoft.ML.KagPrompt.Backbones;
using Microsoft.ML.KagPrompt.Cli.Scoring;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Model;

namespace Microsoft.ML.KagPrompt.Cli.Commands;

/// <summary>kagprompt info FILE|DIR [--json]</summary>
internal static class InfoCommand
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public static Verb Create()
    {
        var path = new Argument<string>("FILE|DIR")
        {
            Description = "A model zip, an exported file (.onnx), a checkpoint, a model repository's directory, "
                + "a converted backbone's directory, or \"compact\".",
        };
        var json = new Option<bool>("--json") { Description = "Write JSON, for programs." };
        var command = new Verb("info", "Tells a model's classes, options and thresholds, or a backbone's family, sizes, licence, hash, "
            + "and what it can be used for. Checks every name and shape, and a converted directory's hashes.")
        {
            path, json,
        };
        command.SetGuardedAction((parsed, _) =>
        {
            var place = parsed.GetRequiredValue(path);
            if (ExportedModel.IsOne(place))
            {
                ExportedTable.Write(place, parsed.GetValue(json));
                return;
            }

            if (File.Exists(place) && SavedModel.IsOne(place))
            {
                Write(ModelTable.Read(place), place, parsed.GetValue(json));
                return;
            }

            if (File.Exists(place) && Path.GetExtension(place).Equals(".zip", StringComparison.OrdinalIgnoreCase))
            {
                throw new ModelFormatException($"'{place}' is no model zip, or is damaged: expected what 'kagprompt fit' or "
                    + "mlContext.Model.Save writes. Save or copy it again.");
            }

            var description = BackboneDescription.Read(place);
            if (parsed.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(description, Json));
            }
            else
            {
                DescriptionTable.Write(description);
            }
        });
        return command;
    }

    private static void Write(ModelDescription model, string place, bool json)
    {
        if (json)
        {
            Console.WriteLine(ModelTable.Json(model, place));
        }
        else
        {
            DescriptionTable.Write([.. ModelTable.Lines(model, place)]);
        }
    }
}
