using Microsoft.ML.KagPrompt.Cli.Scoring;
using Microsoft.ML.KagPrompt.Datasets;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Metrics;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Reporting;

namespace Microsoft.ML.KagPrompt.Cli.Reports;

/// <summary>
/// Pixel metrics of each class and kind of defect, of images that come class by class and kind by kind: statistics are large, and only two
/// are held at a time.
/// </summary>
internal sealed class PixelTally(ResizeMode mode, Action<string> tell)
{
    private readonly List<ReportPixels> done = [];
    private readonly List<string> unknown = [];
    private bool hasDefects;
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

        var mask = GroundTruth.ReadMask(scored, tell)?.At(scored.Width, mode) ?? [];
        if (image.IsAnomalous is null && mask.Length == 0)
        {
            // Its mask cannot be used, and nothing else tells.
            return;
        }

        if (ofClass?.ClassName != image.ClassName)
        {
            Finish();
            ofClass = (image.ClassName, new());
        }

        hasDefects |= image.IsAnomalous == true;
        ofClass!.Value.Statistics.Add(scored.Map, mask, scored.Width, scored.Height, image.IsAnomalous == true);
        if (image.IsAnomalous == true && mask.Length > 0)
        {
            if (ofKind?.DefectType != image.DefectType)
            {
                FinishKind();
                ofKind = (image.DefectType, new());
            }

            ofKind!.Value.Statistics.Add(scored.Map, mask, scored.Width, scored.Height, isAnomalous: true);
        }
    }

    /// <summary>What could be computed: nothing of classes without masks.</summary>
    public IReadOnlyList<ReportPixels> Compute()
    {
        Finish();
        return done;
    }

    /// <summary>Of which classes nothing could be computed, and why; complete after <see cref="Compute"/>.</summary>
    public IReadOnlyList<string> Unknown => unknown;

    /// <summary>The order in which images must come.</summary>
    public static IEnumerable<DatasetImage> Ordered(IEnumerable<DatasetImage> images)
        => images.OrderBy(image => image.ClassName, StringComparer.Ordinal).ThenBy(image => image.IsAnomalous)
            .ThenBy(image => image.DefectType, StringComparer.Ordinal);

    private void Finish()
    {
        FinishKind();
        if (ofClass is var (name, statistics) && statistics.Compute() is var metrics)
        {
            if (metrics.Regions > 0)
            {
                done.Add(new(name, null, metrics));
            }
            else if (hasDefects)
            {
                unknown.Add($"{name}: no pixel metrics. {string.Join(' ', metrics.Warnings)}");
            }
        }

        (ofClass, hasDefects) = (null, false);
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
