using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.KagPrompt;
using Microsoft.ML.KagPrompt.Datasets;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Metrics;
using Microsoft.ML.KagPrompt.Model;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Reporting;

namespace QuickStart;

/// <summary>The scored images, read once from the view.</summary>
internal sealed class Results
{
    private readonly IReadOnlyList<DatasetImage> files;
    private readonly float[] scores;
    private readonly bool[] decisions;
    private readonly bool[] foreign;
    private readonly float[][] maps;

    private Results(IReadOnlyList<DatasetImage> files, float[] scores, bool[] decisions, bool[] foreign, float[][] maps)
        => (this.files, this.scores, this.decisions, this.foreign, this.maps) = (files, scores, decisions, foreign, maps);

    private int Side => (int)Math.Sqrt(maps[0].Length);

    public static Results Read(IDataView scored, IReadOnlyList<DatasetImage> files)
    {
        // One pass over the rows: each GetColumn call would score them again.
        var (scores, decisions, foreign, maps) = (new List<float>(), new List<bool>(), new List<bool>(), new List<float[]>());
        var schema = scored.Schema;
        using var cursor = scored.GetRowCursor([schema["Score"], schema["PredictedLabel"], schema["IsForeign"], schema["AnomalyMap"]]);
        var score = cursor.GetGetter<float>(schema["Score"]);
        var decision = cursor.GetGetter<bool>(schema["PredictedLabel"]);
        var isForeign = cursor.GetGetter<bool>(schema["IsForeign"]);
        var map = cursor.GetGetter<VBuffer<float>>(schema["AnomalyMap"]);
        var (s, d, f, m) = (0f, false, false, default(VBuffer<float>));
        while (cursor.MoveNext())
        {
            score(ref s);
            decision(ref d);
            isForeign(ref f);
            map(ref m);
            scores.Add(s);
            decisions.Add(d);
            foreign.Add(f);
            maps.Add([.. m.DenseValues()]);
        }

        return new Results(files, [.. scores], [.. decisions], [.. foreign], [.. maps]);
    }

    public bool SameBitsAs(Results other) => scores.SequenceEqual(other.scores) && decisions.SequenceEqual(other.decisions)
        && maps.Zip(other.maps).All(pair => pair.First.AsSpan().SequenceEqual(pair.Second));

    public void Print(TextWriter writer, ThresholdCalibration threshold)
    {
        writer.WriteLine();
        writer.WriteLine($"{"kind",-14}{"images",8}{"called anomalous",18}{"mean score",12}");
        foreach (var group in Enumerable.Range(0, files.Count).GroupBy(i => files[i].DefectType))
        {
            writer.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{group.Key,-14}{group.Count(),8}{group.Count(i => decisions[i]),18}{group.Average(i => scores[i]),12:0.000}"));
        }

        writer.WriteLine(threshold.Explanation);
        foreach (var (name, value) in Figures())
        {
            writer.WriteLine($"{name}: {value}");
        }
    }

    /// <summary>One strip of pictures an image with the legend, and a page with all of them.</summary>
    public string WritePictures(string folder, KagPromptTransformer model, string subtitle)
    {
        var (calibration, items) = (model.Calibration(), new List<ReportItem>());
        var (scale, square) =
            (MapScale.ForCalibration(calibration), new ImagePreprocessor(Side, ResizeMode.Stretch, [0f, 0f, 0f], [1f, 1f, 1f]));
        var strips = Directory.CreateDirectory(Path.Combine(folder, "pictures")).FullName;
        for (var i = 0; i < files.Count; i++)
        {
            var (image, map, mask) = (ImageCodec.Read(files[i].Path), maps[i], Mask(i));
            var small = square.Resize(image);
            Pictures.WriteStrip(
                [
                    small, HeatmapRenderer.Draw(map, Side, Side, scale), HeatmapRenderer.Overlay(small, map, scale, mask?.At(Side)),
                    LegendRenderer.Draw(scale, Side),
                ],
                Path.Combine(strips, $"{i:000}_{files[i].DefectType}.png"));
            items.Add(new ReportItem
            {
                Name = $"{files[i].DefectType}/{Path.GetFileName(files[i].Path)}",
                ClassName = files[i].ClassName,
                DefectType = files[i].DefectType,
                IsAnomalous = files[i].IsAnomalous,
                Score = scores[i],
                IsRejected = decisions[i],
                IsForeign = foreign[i],
                Calibration = calibration,
                Picture = ReportPicture.Create(
                    image, (width, height) => model.Model.MapToImage(map, width, height), scale, mask?.Pixels ?? [],
                    picture => ImageCodec.EncodeJpeg(picture)),
            });
        }

        var page = Path.Combine(folder, "index.html");
        using var writer = new StreamWriter(page);
        HtmlReport.Write(writer, new ReportPage
        {
            Title = "Anomaly detection",
            Facts = [("Data", subtitle)],
            Items = items,
            Pixels = [.. PixelFigures()],
        });
        return page;
    }

    /// <summary>Of all images, and of each kind of defect.</summary>
    private IEnumerable<ReportPixels> PixelFigures()
    {
        foreach (var kind in files.Where(file => file.MaskPath is not null)
            .Select(file => (string?)file.DefectType).Distinct().Prepend(null))
        {
            var statistics = new MapStatistics();
            for (var i = 0; i < files.Count; i++)
            {
                if (files[i].IsAnomalous is { } isAnomalous && (kind is null || kind == files[i].DefectType))
                {
                    statistics.Add(maps[i], Mask(i)?.At(Side), Side, Side, isAnomalous);
                }
            }

            if (statistics.Compute() is { Regions: > 0 } metrics)
            {
                yield return new ReportPixels(files[0].ClassName, kind, metrics);
            }
        }
    }

    private IEnumerable<(string Name, string Value)> Figures()
    {
        var labelled = Enumerable.Range(0, files.Count).Where(i => files[i].IsAnomalous is not null).ToArray();
        var image = RocMetrics.Auroc([.. labelled.Select(i => scores[i])], [.. labelled.Select(i => files[i].IsAnomalous == true)]);
        if (double.IsFinite(image))
        {
            yield return ("Image AUROC", image.ToString("0.000", CultureInfo.InvariantCulture));
        }

        foreach (var pixels in PixelFigures().Take(1))
        {
            yield return ("Pixel AUROC", pixels.Metrics.Auroc.Value.ToString("0.000", CultureInfo.InvariantCulture));
        }
    }

    private DefectMask? Mask(int i) => files[i].MaskPath is { } path ? DefectMask.Read(path) : null;
}
