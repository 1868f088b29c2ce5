using Microsoft.ML.KagPrompt.Cli.Scoring;
using Microsoft.ML.KagPrompt.Datasets;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Metrics;
using Microsoft.ML.KagPrompt.Reporting;

namespace Microsoft.ML.KagPrompt.Cli.Reports;

/// <summary>Pixel metrics of each class and kind of defect, of images that come class by class and kind by kind: statistics are large, and only two are held at a time.</summary>
internal sealed class PixelTally(ResizeMode mode)
{
    private readonly List<ReportPixels> done = [];
    private (string ClassName, MapStatistics Statistics)? ofClass;
    private (string DefectType, MapStatistics Statistics)? ofKind;

    public void Add(ScoredImage scored)
    {
        var image = scored.Image;
        if (scored.Fault is not null || (image.IsAnomalous is null && image.MaskPath is null))
        {
            // Neither known to be sound nor marked.
            return;
        }

        if (ofClass?.ClassName != image.ClassName)
        {
            Finish();
            ofClass = (image.ClassName, new());
        }

        var mask = image.MaskPath is { } path ? DefectMask.Read(path).At(scored.Width, mode) : [];
        ofClass!.Value.Statistics.Add(scored.Map, mask, scored.Width, scored.Height, image.IsAnomalous == true);
        if (image is { IsAnomalous: true, MaskPath: not null })
        {
            if (ofKind?.DefectType != image.DefectType)
            {
                FinishKind();
                ofKind = (image.DefectType, new());
            }

            ofKind!.Value.Statistics.Add(scored.Map, mask, scored.Width, scored.Height, isAnomalous: true);
        }
    }

    /// <summary>What could be told: nothing of classes without masks.</summary>
    public IReadOnlyList<ReportPixels> Compute()
    {
        Finish();
        return done;
    }

    /// <summary>The order in which images must come.</summary>
    public static IEnumerable<DatasetImage> Ordered(IEnumerable<DatasetImage> images)
        => images.OrderBy(image => image.ClassName, StringComparer.Ordinal).ThenBy(image => image.IsAnomalous).ThenBy(image => image.DefectType, StringComparer.Ordinal);

    private void Finish()
    {
        FinishKind();
        if (ofClass is var (name, statistics) && statistics.Compute() is { Regions: > 0 } metrics)
        {
            done.Add(new(name, null, metrics));
        }

        ofClass = null;
    }

    private void FinishKind()
    {
        if (ofKind is var (kind, statistics) && statistics.Compute() is { Regions: > 0 } metrics)
        {
            done.Add(new(ofClass!.Value.ClassName, kind, metrics));
        }

        ofKind = null;
    }
}
