using Microsoft.ML.KagPrompt.Diagnostics;
using Microsoft.ML.KagPrompt.Imaging;
using Microsoft.ML.KagPrompt.Model;

namespace Microsoft.ML.KagPrompt.Cli.Scoring;

/// <summary>Results that say something. What was not, or cannot be, judged has a reason instead: it must not pass as sound.</summary>
internal static class Verdicts
{
    /// <summary>For each image, in order, its result or why there is none.</summary>
    /// <param name="images">Images and their classes.</param>
    /// <param name="inspect">The model.</param>
    public static IEnumerable<(Inspection? Result, string? Fault)> Collect(IReadOnlyList<(PixelBuffer Pixels, string? Class)> images,
        Func<IReadOnlyList<(PixelBuffer Pixels, string? Class)>, IReadOnlyList<Inspection>> inspect)
    {
        if (images.Count == 0)
        {
            return [];
        }

        try
        {
            return [.. inspect(images).Select(Checked)];
        }
        catch (KagPromptException fault)
        {
            // One of them, which the others do not answer for.
            return images.Count == 1 ? [(null, fault.Message)] : [.. images.SelectMany(image => Collect([image], inspect))];
        }
    }

    private static (Inspection? Result, string? Fault) Checked(Inspection result)
        => !float.IsFinite(result.Score) ? (null, "The score is not a number: the model or the image is damaged.")
            : (result, null);
}
