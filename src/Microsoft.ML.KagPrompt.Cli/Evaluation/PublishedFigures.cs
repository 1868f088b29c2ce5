using System.Globalization;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Cli.Evaluation;

/// <summary>A published figure of a data set; shares in 0..1.</summary>
internal sealed record PublishedFigure(double ImageAuroc, double PixelAuroc);

/// <summary>Table 1 of KAG-prompt's paper: seven systems on two public data sets.</summary>
internal static class PublishedFigures
{
    private static readonly (string Prefix, string Title, int Products, string[] Names)[] Sets =
    [
        ("mvtec", "MVTec AD", 15, ["mvtec", "mvtecad", "mvtecanomalydetection"]),
        ("visa", "VisA", 12, ["visa", "visapytorch"]),
    ];

    private static readonly Lazy<Dictionary<(string Set, int Shots, string System), PublishedFigure>> Table = new(Read);

    /// <summary>Where they are from.</summary>
    public static string Source
        => "Tao, Xie, Zhao, Shu: \"Kernel-Aware Graph Prompt Learning for Few-Shot Anomaly Detection\", AAAI 2025, Table 1";

    /// <summary>Null where nothing was published of that data set, or of that number of shots.</summary>
    public static PublishedFigure? Find(string dataset, int shots, PaperSystem system)
        => Table.Value.GetValueOrDefault((SetOf(dataset)?.Prefix ?? "", shots, system.PublishedName));

    /// <summary>What a reader must know of a data set's published figures; null: nothing.</summary>
    public static string? NoteOn(string dataset, int products) => SetOf(dataset) switch
    {
        null => $"{dataset}: it is named neither MVTec AD nor VisA, of which alone there are published figures.",
        { } set when set.Products != products => string.Create(
            CultureInfo.InvariantCulture,
            $"{dataset}: {products} product(s); the published figures are means over the {set.Products} of {set.Title}."),
        _ => null,
    };

    /// <summary>The data set that a folder is named after, whatever its capitals, spaces and dashes.</summary>
    private static (string Prefix, string Title, int Products)? SetOf(string dataset)
    {
        var plain = string.Concat(dataset.Where(char.IsAsciiLetterOrDigit)).ToLowerInvariant();
        foreach (var (prefix, title, products, names) in Sets)
        {
            if (names.Contains(plain))
            {
                return (prefix, title, products);
            }
        }

        return null;
    }

    private static Dictionary<(string Set, int Shots, string System), PublishedFigure> Read()
    {
        using var reader = new StreamReader(typeof(PublishedFigures).Assembly.GetManifestResourceStream("table1.csv")!);
        string[][] rows = [.. reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(line => !line.StartsWith('#')).Select(line => line.Trim().Split(','))];
        var header = rows[0];
        string Cell(string[] row, string name) => row[Array.IndexOf(header, name)];
        double Share(string[] row, string name) => double.Parse(Cell(row, name), CultureInfo.InvariantCulture) / 100;
        return rows.Skip(1).SelectMany(row => Sets.Select(set => (
            Key: (set.Prefix, int.Parse(Cell(row, "shots"), CultureInfo.InvariantCulture), Cell(row, "method")),
            Figure: new PublishedFigure(Share(row, set.Prefix + "_image_auroc"), Share(row, set.Prefix + "_pixel_auroc")))))
            .ToDictionary(entry => entry.Key, entry => entry.Figure);
    }
}
