namespace Microsoft.ML.KagPrompt.Cli;

/// <summary>The library's errors name its own options and types; here is what a command line calls them.</summary>
internal static class LibraryWords
{
    private static readonly (string Library, string Option)[] Options =
    [
        ("Backbone.Name", "--backbone"), ("Backbone.MemoryName", "--memory-backbone"), ("Prompt.CheckpointPath", "--checkpoint"),
        ("Prompt.Variant", "--variant"), ("Prompt.FromScratch", "--from-scratch"), ("Training.Epochs", "--epochs"),
        ("Training.CheckpointFolder", "--resume"),
    ];

    /// <summary>A message of the library's with the options of this command beside the library's own.</summary>
    public static string WithOptions(string message, Verb command)
    {
        foreach (var (library, option) in Options.Where(words => command.Options.Any(known => known.Name == words.Option)))
        {
            message = message.Replace(library, $"{library} ({option})", StringComparison.Ordinal);
        }

        return message.Replace(nameof(BackboneConverter), $"{nameof(BackboneConverter)} (kagprompt convert)", StringComparison.Ordinal);
    }
}
