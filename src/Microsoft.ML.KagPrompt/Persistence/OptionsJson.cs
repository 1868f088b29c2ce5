using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt.Persistence;

/// <summary>A transformer's options as its zip holds them (<see cref="HashedOptions"/>).</summary>
internal static class OptionsJson
{
    private const int CurrentVersion = 3;

    public static byte[] Write(KagPromptOptions options) => HashedOptions.Write(options, CurrentVersion);

    /// <summary>Reads this version's, or the flat options of package 0.1.0.</summary>
    /// <exception cref="ModelFormatException">They are damaged, out of range, or of a newer version.</exception>
    public static KagPromptOptions Read(Stream source) => HashedOptions.Read(source, root =>
    {
        var options = HashedOptions.AreIn(root)
            ? HashedOptions.Parse<KagPromptOptions>(root, CurrentVersion, "Microsoft.ML.KagPrompt")
            : FlatKagPromptOptions.Parse(root);
        options.Validate();
        return options;
    });
}
