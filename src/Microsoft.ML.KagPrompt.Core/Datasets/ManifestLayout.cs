using System.Globalization;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Model;

namespace Microsoft.ML.KagPrompt.Datasets;

/// <summary>A table of images: <c>manifest.csv</c> or <c>manifest.jsonl</c> in a folder, or any .csv or .jsonl file.</summary>
internal static class ManifestLayout
{
    private static readonly string[] Names = ["manifest.csv", "manifest.jsonl"];

    public static bool Matches(string path) => FileOf(path) is not null;

    public static IReadOnlyList<DatasetImage> List(string path)
    {
        var file = FileOf(path) ?? throw new InsufficientDataException($"'{path}' holds no manifest: "
            + $"expected {string.Join(" or ", Names.Select(name => $"'{name}'"))} in it, or the path of a .csv or .jsonl file.");
        var folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
        return [.. TableReader.Read(file).Select(row =>
        {
            var isAnomalous = Label(row);
            return new DatasetImage(
                row.PathIn(folder, row.Require("image")),
                row.Find("class") ?? PromptEnsemble.DefaultClassName,
                row.Split(),
                isAnomalous,
                row.Find("defect") ?? (isAnomalous switch { false => ImageFiles.Good, true => "anomaly", null => "unknown" }),
                row.Find("mask") is { } mask ? row.PathIn(folder, mask) : null);
        })];
    }

    private static string? FileOf(string path) => File.Exists(path)
        ? (Path.GetExtension(path).ToLowerInvariant() is ".csv" or ".jsonl" ? path : null)
        : Names.Select(name => Path.Combine(path, name)).FirstOrDefault(File.Exists);

    /// <summary>0 or 1, normal or anomalous; without one, what is for fitting is normal.</summary>
    private static bool? Label(TableRow row) => row.Find("label")?.ToLowerInvariant() switch
    {
        null => row.Split() == DatasetSplit.Test ? null : false,
        "normal" or "good" or "ok" or "false" => false,
        "anomaly" or "anomalous" or "bad" or "ko" or "true" => true,
        var number when float.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && float.IsFinite(value)
            => value > 0,
        var other => throw row.Wrong("label", "0, 1, normal or anomalous", other),
    };
}
