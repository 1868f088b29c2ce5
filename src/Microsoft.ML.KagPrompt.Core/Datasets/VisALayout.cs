using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt.Datasets;

/// <summary>VisA: <c>split_csv/1cls.csv</c> with object, split, label, image, mask.</summary>
internal static class VisALayout
{
    private const string Table = "split_csv/1cls.csv";

    public static bool Matches(string path) => File.Exists(Path.Combine(path, Table));

    public static IReadOnlyList<DatasetImage> List(string path)
    {
        if (!Matches(path))
        {
            throw new InsufficientDataException($"'{path}' is not laid out as VisA: expected '{Table}' in it.");
        }

        return [.. TableReader.Read(Path.Combine(path, Table)).Select(row =>
        {
            var isAnomalous = row.Require("label") switch
            {
                "normal" => false,
                "anomaly" => true,
                var other => throw row.Wrong("label", "normal or anomaly", other),
            };
            return new DatasetImage(
                row.PathIn(path, row.Require("image")),
                row.Require("object"),
                row.Split(),
                isAnomalous,
                isAnomalous ? "anomaly" : ImageFiles.Good,
                row.Find("mask") is { } mask ? row.PathIn(path, mask) : null);
        })];
    }
}
