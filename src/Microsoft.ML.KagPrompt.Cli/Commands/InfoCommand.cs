using System.CommandLine;
using System.Text.Json;
using Microsoft.ML.KagPrompt.Backbones;

namespace Microsoft.ML.KagPrompt.Cli.Commands;

/// <summary>kagprompt info FILE|DIR [--json]</summary>
internal static class InfoCommand
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public static Verb Create()
    {
        var path = new Argument<string>("FILE|DIR") { Description = "A checkpoint, a model repository's directory, a converted backbone's directory, or \"compact\"." };
        var json = new Option<bool>("--json") { Description = "Write JSON, for programs." };
        var command = new Verb("info", "Tells a backbone's family, sizes, licence, hash, and what it can be used for. Checks every name and shape, and a converted directory's hashes.") { path, json };
        command.SetGuardedAction((parsed, _) =>
        {
            var description = BackboneDescription.Read(parsed.GetRequiredValue(path));
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
}
