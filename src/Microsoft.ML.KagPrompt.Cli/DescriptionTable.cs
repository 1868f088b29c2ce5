using System.Globalization;
using Microsoft.ML.KagPrompt.Backbones;
using Spectre.Console;

namespace Microsoft.ML.KagPrompt.Cli;

/// <summary>A backbone's or a model's description: a grid on a terminal, a line each where the output is piped.</summary>
internal static class DescriptionTable
{
    public static void Write(BackboneDescription description) => Write([.. Lines(description)]);

    /// <summary>Names and values.</summary>
    public static void Write(IReadOnlyList<(string Name, string Value)> lines)
    {
        if (Console.IsOutputRedirected)
        {
            foreach (var (name, value) in lines)
            {
                Console.WriteLine($"{name}: {value}");
            }

            return;
        }

        var grid = new Grid().AddColumn(new GridColumn().NoWrap()).AddColumn();
        foreach (var (name, value) in lines)
        {
            grid.AddRow(new Markup($"[bold]{Markup.Escape(name)}[/]"), new Markup(Markup.Escape(value)));
        }

        AnsiConsole.Write(grid);
    }

    private static IEnumerable<(string Name, string Value)> Lines(BackboneDescription description)
    {
        yield return ("Name", description.Name);
        yield return ("Family", description.Family);
        yield return ("Licence", description.Licence);
        yield return ("Vision tower", $"{Millions(description.VisionParameters)}; {description.VisionSizes}");
        yield return ("Text tower", description.HasText ? Millions(description.TextParameters) : "none");
        yield return ("Images", $"trained at {description.ImageSize} pixels; sides of a multiple of {description.PatchSize}");
        yield return ("Memory bank", "yes");
        yield return ("Graph prompt", !description.HasText
            ? "no: it has no text side. Name it in Backbone.MemoryName (--memory-backbone) beside a backbone that has one"
            : description.HasVocabulary
                ? "yes"
                : "needs the vocabulary beside it: bpe_simple_vocab_16e6.txt.gz, or vocab.json and merges.txt");
        if (description.Sha256 is { } hash)
        {
            yield return ("SHA-256", hash);
        }
    }

    private static string Millions(long parameters)
        => string.Create(CultureInfo.InvariantCulture, $"{parameters / 1e6:0.0} million parameters, "
            + $"{Mebibytes(2 * parameters)} in 16 bit, {Mebibytes(4 * parameters)} in 32");

    private static string Mebibytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:#,0} MiB");
}
