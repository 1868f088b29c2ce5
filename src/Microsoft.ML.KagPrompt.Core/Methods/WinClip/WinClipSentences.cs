using Microsoft.ML.KagPrompt.Methods.Common;

namespace Microsoft.ML.KagPrompt.Methods.WinClip;

/// <summary>
/// The compositional prompt ensemble as anomalib has it: 147 normal and 84 abnormal sentences. It says one template twice; so does this.
/// </summary>
internal static class WinClipSentences
{
    private static readonly string[] NormalStates =
        ["{}", "flawless {}", "perfect {}", "unblemished {}", "{} without flaw", "{} without defect", "{} without damage"];

    private static readonly string[] AbnormalStates = ["damaged {}", "{} with flaw", "{} with defect", "{} with damage"];

    private static readonly string[] Templates =
    [
        "a cropped photo of the {}.",
        "a close-up photo of a {}.",
        "a close-up photo of the {}.",
        "a bright photo of a {}.",
        "a bright photo of the {}.",
        "a dark photo of the {}.",
        "a dark photo of a {}.",
        "a jpeg corrupted photo of the {}.",
        "a jpeg corrupted photo of the {}.",
        "a blurry photo of the {}.",
        "a blurry photo of a {}.",
        "a photo of a {}.",
        "a photo of the {}.",
        "a photo of a small {}.",
        "a photo of the small {}.",
        "a photo of a large {}.",
        "a photo of the large {}.",
        "a photo of the {} for visual inspection.",
        "a photo of a {} for visual inspection.",
        "a photo of the {} for anomaly detection.",
        "a photo of a {} for anomaly detection.",
    ];

    /// <summary>Both groups; "{}" stands for the product's name.</summary>
    public static PromptEnsemble All { get; }
        = new(StatesInTemplates.Fill(NormalStates, Templates), StatesInTemplates.Fill(AbnormalStates, Templates));
}
