using Microsoft.ML.KagPrompt.Cli.Scoring;
using Microsoft.ML.KagPrompt.Datasets;
using Microsoft.ML.KagPrompt.Numerics;
using Microsoft.ML.KagPrompt.Reporting;

namespace Microsoft.ML.KagPrompt.Cli.Reports;

/// <summary>
/// Scores images for a report, in memory that does not grow with their number: maps are kept of the worst ones alone, which get pictures.
/// </summary>
/// <param name="scorer">The model, with maps at its own size.</param>
/// <param name="root">The folder that images are named from.</param>
/// <param name="pictures">How many get pictures.</param>
/// <param name="progress">What is being done, how much is done, how much there is.</param>
internal sealed class ReportRun(ImageScorer scorer, string root, int pictures, Action<string, int, int> progress)
{
    /// <summary>Of those kept, the first to go is the last of the worst.</summary>
    private readonly PriorityQueue<(int Place, ScoredImage Scored), ReportItem> kept
        = new(Comparer<ReportItem>.Create((a, b) => ReportOrder.WorstFirst.Compare(b, a)));
    private readonly List<ReportItem> items = [];
    private readonly List<string> faults = [];
    private PixelTally pixels = new(scorer.Model.Images.ResizeMode, _ => { });

    /// <summary>Masks that could not be used, and why.</summary>
    public IReadOnlyList<string> MaskFaults => faults;

    /// <summary>Classes of which no pixel metric can be computed, and why.</summary>
    public IReadOnlyList<string> Unknown => pixels.Unknown;

    /// <summary>The images of the report, with pictures where they are among the worst, and the pixel metrics.</summary>
    public (IReadOnlyList<ReportItem> Items, IReadOnlyList<ReportPixels> Pixels) Gather(IReadOnlyList<DatasetImage> images,
        CancellationToken cancellation)
    {
        pixels = new(scorer.Model.Images.ResizeMode, faults.Add);
        foreach (var scored in scorer.Score(PixelTally.Ordered(images), cancellation))
        {
            Keep(scored);
            pixels.Add(scored);
            progress("scoring", items.Count, images.Count);
        }

        Draw(cancellation);
        return (items, pixels.Compute());
    }

    private void Keep(ScoredImage scored)
    {
        var image = scored.Image;
        var item = new ReportItem
        {
            Name = Path.GetRelativePath(root, Path.GetFullPath(image.Path)).Replace('\\', '/'),
            ClassName = image.ClassName,
            DefectType = image.DefectType,
            IsAnomalous = image.IsAnomalous,
            Score = scored.Score,
            IsRejected = scored.IsAnomalous,
            IsForeign = scored.IsForeign,
            Calibration = scored.Calibration,
            Fault = scored.Fault,
        };
        items.Add(item);
        if (item.Fault is null)
        {
            kept.Enqueue((items.Count - 1, scored), item);
            if (kept.Count > pictures)
            {
                kept.Dequeue();
            }
        }
    }

    /// <summary>Images are read again: only a few of many are shown, and which ones is known at the end.</summary>
    private void Draw(CancellationToken cancellation)
    {
        var (done, all) = (0, kept.Count);
        foreach (var ((place, scored), item) in kept.UnorderedItems)
        {
            cancellation.ThrowIfCancellationRequested();
            var image = ImageCodec.Read(scored.Image.Path, scorer.Model.Images.MaxPixels,
                scorer.Model.Images.Orientation);
            var truth = GroundTruth.ReadMask(scored, _ => { });
            items[place] = item with
            {
                Picture = ReportPicture.Create(image, (width, height) => scorer.Model.MapToImage(scored.Map, width, height),
                    MapScale.ForCalibration(scored.Calibration), truth?.Pixels ?? [], picture => ImageCodec.EncodeJpeg(picture)),
            };
            progress("drawing", ++done, all);
        }
    }
}
