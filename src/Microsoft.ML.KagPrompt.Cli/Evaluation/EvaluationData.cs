using Microsoft.ML.KagPrompt.Cli.Reports;
using Microsoft.ML.KagPrompt.Datasets;
using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Numerics;

namespace Microsoft.ML.KagPrompt.Cli.Evaluation;

/// <summary>Looks through a data set before hours are spent on it: figures rest on all of its images and masks, so one that cannot be used ends the run, with all such named.</summary>
internal static class EvaluationData
{
    private const int Named = 20;

    /// <exception cref="ImageReadException">Images or masks cannot be used.</exception>
    public static void Check(string path, IReadOnlyList<DatasetImage> images, Action<string> tell, CancellationToken cancellation)
    {
        var root = Directory.Exists(path) ? path : Path.GetDirectoryName(Path.GetFullPath(path))!;
        foreach (var note in DataNotes.Shared(images, root).Concat(DataNotes.LeftOut(path, root)))
        {
            tell($"{Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)))}: {note}");
        }

        var faults = new List<string>();
        foreach (var image in images)
        {
            cancellation.ThrowIfCancellationRequested();
            try
            {
                Require(image);
            }
            catch (ImageReadException fault)
            {
                faults.Add(fault.Message);
            }
        }

        if (faults.Count > 0)
        {
            throw new ImageReadException($"'{path}': {faults.Count} image(s) or mask(s) cannot be used:\n  {string.Join("\n  ", faults.Take(Named))}{(faults.Count > Named ? "\n  …" : "")}");
        }
    }

    private static void Require(DatasetImage image)
    {
        var info = ImageCodec.Check(image.Path);
        if (image.MaskPath is { } mask)
        {
            var (width, height) = ImageCodec.SizeOf(info, ImageOrientation.Exif);
            DefectMask.Read(mask).ScaledTo(width, height, $"'{mask}'");
        }
    }
}
