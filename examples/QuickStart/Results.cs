using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt.Datasets;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Metrics;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.Reporting;

namespace QuickStart;

/// <summary>The scored images, read once from the view.</summary>
internal sealed class Results
{
    private readonly IReadOnlyList<DatasetImage> files;
    private readonly float[] scores;
    private readonly bool[] decisions;
    private readonly float[][] maps;

    private Results(IReadOnlyList<DatasetImage> files, float[] scores, bool[] decisions, float[][] maps)
        => (this.files, this.scores, this.decisions, this.maps) = (files, scores, decisions, maps);

    private int Side => (int)Math.Sqrt(maps[0].Length);

    public static Results Read(IDataView scored, IReadOnlyList<DatasetImage> files)
    {
        // One pass over the rows: each GetColumn call would score them again.
        var (scores, decisions, maps) = (new List<float>(), new List<bool>(), new List<float[]>());
        var schema = scored.Schema;
        using var cursor = scored.GetRowCursor([schema["Score"], schema["PredictedLabel"], schema["AnomalyMap"]]);
        var score = cursor.GetGetter<float>(schema["Score"]);
        var decision = cursor.GetGetter<bool>(schema["PredictedLabel"]);
        var map = cursor.GetGetter<VBuffer<float>>(schema["AnomalyMap"]);
        var (s, d, m) = (0f, false, default(VBuffer<float>));
        while (cursor.MoveNext())
        {
            score(ref s);
            decision(ref d);
            map(ref m);
            scores.Add(s);
            decisions.Add(d);
            maps.Add([.. m.DenseValues()]);
        }

        return new Results(files, [.. scores], [.. decisions], [.. maps]);
    }

    public bool SameBitsAs(Results other) => scores.SequenceEqual(other.scores) && decisions.SequenceEqual(other.decisions)
        && maps.Zip(other.maps).All(pair => pair.First.AsSpan().SequenceEqual(pair.Second));

    public void Print(TextWriter writer, ThresholdCalibration threshold)
    {
        writer.WriteLine();
        writer.WriteLine($"{"kind",-14}{"images",8}{"called anomalous",18}{"mean score",12}");
        foreach (var group in Enumerable.Range(0, files.Count).GroupBy(i => files[i].DefectType))
        {
            writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{group.Key,-14}{group.Count(),8}{group.Count(i => decisions[i]),18}{group.Average(i => scores[i]),12:0.000}"));
        }

        writer.WriteLine(threshold.Explanation);
        foreach (var (name, value) in Figures())
        {
            writer.WriteLine($"{name}: {value}");
        }
    }

    /// <summary>One strip of pictures an image, and a page with all of them.</summary>
    public string WritePictures(string folder, float threshold, string subtitle)
    {
        var high = float.IsFinite(threshold) && threshold > 0 ? 2 * threshold : maps.Max(map => map.Max());
        var strips = Directory.CreateDirectory(Path.Combine(folder, "pictures")).FullName;
        var rows = new List<ReportRow>();
        for (var i = 0; i < files.Count; i++)
        {
            var square = new ImagePreprocessor(Side, ResizeMode.Stretch, [0f, 0f, 0f], [1f, 1f, 1f]).Resize(Pictures.Read(files[i].Path));
            var drawn = new List<(string Title, PixelBuffer Picture)>
            {
                ("image", square),
                ("anomaly map", HeatmapRenderer.Draw(maps[i], Side, Side, 0, high)),
                ("overlay", HeatmapRenderer.Overlay(square, maps[i], 0, high)),
            };
            if (Mask(i) is { } mask)
            {
                drawn.Add(("true mask", new PixelBuffer(Side, Side, [.. mask.SelectMany(set => Enumerable.Repeat(set ? (byte)255 : (byte)0, 3))])));
            }

            Pictures.WriteStrip([.. drawn.Select(item => item.Picture)], Path.Combine(strips, $"{i:000}_{files[i].DefectType}.png"));
            rows.Add(new ReportRow($"{files[i].DefectType}/{Path.GetFileName(files[i].Path)}", scores[i], threshold, files[i].IsAnomalous, [.. drawn.Select(item => (item.Title, Pictures.Png(item.Picture)))]));
        }

        var page = Path.Combine(folder, "index.html");
        using var writer = new StreamWriter(page);
        HtmlReport.Write(writer, "Anomaly detection", [("Data", subtitle), .. Figures()], rows);
        return page;
    }

    private IEnumerable<(string Name, string Value)> Figures()
    {
        var labelled = Enumerable.Range(0, files.Count).Where(i => files[i].IsAnomalous is not null).ToArray();
        var image = RocMetrics.Auroc([.. labelled.Select(i => scores[i])], [.. labelled.Select(i => files[i].IsAnomalous == true)]);
        if (double.IsFinite(image))
        {
            yield return ("Image AUROC", image.ToString("0.000", CultureInfo.InvariantCulture));
        }

        var masked = labelled.Where(i => files[i].IsAnomalous == false || files[i].MaskPath is not null).ToArray();
        var pixel = RocMetrics.Auroc([.. masked.SelectMany(i => maps[i])], [.. masked.SelectMany(i => Mask(i) ?? new bool[Side * Side])]);
        if (double.IsFinite(pixel))
        {
            yield return ("Pixel AUROC", pixel.ToString("0.000", CultureInfo.InvariantCulture));
        }
    }

    private bool[]? Mask(int i)
    {
        if (files[i].MaskPath is not { } path)
        {
            return null;
        }

        var mask = Pictures.Read(path);
        return [.. new ImagePreprocessor(Side, ResizeMode.Stretch, [0f, 0f, 0f], [1f, 1f, 1f])
            .ResizeMask(mask.Rgb.Where((_, p) => p % 3 == 0).ToArray(), mask.Width, mask.Height).Select(value => value > 127)];
    }
}
