using Microsoft.ML.KagPrompt.Cli.Scoring;
using Microsoft.ML.KagPrompt.Diagnostics;

namespace Microsoft.ML.KagPrompt.Cli.Reports;

/// <summary>Masks of scored images. One that cannot be used is reported, and the image counts as one without.</summary>
internal static class GroundTruth
{
    /// <summary>The mask at its image's size; null: there is none, or it cannot be used.</summary>
    public static DefectMask? ReadMask(ScoredImage scored, Action<string> tell)
    {
        if (scored.Image.MaskPath is not { } path)
        {
            return null;
        }

        try
        {
            return DefectMask.Read(path).ScaledTo(scored.Size.Width, scored.Size.Height, $"'{path}'");
        }
        catch (ImageReadException fault)
        {
            tell(fault.Message);
            return null;
        }
    }
}
