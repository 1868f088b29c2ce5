using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt.Evaluation;

/// <summary>
/// Looks through data sets before hours are spent on them: figures rest on all images and masks, so one that cannot be used ends
/// the run, with all such named.
/// </summary>
internal static class DatasetCheck
{
    private const int Named = 20;

    /// <exception cref="ImageReadException">Images or masks cannot be used.</exception>
    public static void Run(FewShotDataset dataset, IEnumerable<DatasetImage> used, IEvaluationImages images, CancellationToken cancellation)
    {
        var faults = new List<string>();
        foreach (var image in used)
        {
            cancellation.ThrowIfCancellationRequested();
            try
            {
                images.Check(image);
            }
            catch (ImageReadException fault)
            {
                faults.Add(fault.Message);
            }
        }

        if (faults.Count > 0)
        {
            throw new ImageReadException($"'{dataset.Folder ?? dataset.Name}': {faults.Count} image(s) or mask(s) cannot be used:\n  "
                + $"{string.Join("\n  ", faults.Take(Named))}{(faults.Count > Named ? "\n  …" : "")}");
        }
    }
}
