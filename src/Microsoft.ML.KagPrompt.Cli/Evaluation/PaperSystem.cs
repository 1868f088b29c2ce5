namespace Microsoft.ML.KagPrompt.Cli.Evaluation;

/// <summary>A system of the paper's Table 1.</summary>
/// <param name="Method">Its name here.</param>
/// <param name="Title">As it is called in tables.</param>
/// <param name="PublishedName">As the paper's table calls it.</param>
/// <param name="Footnote">What of it cannot be as it was published; null: nothing but the backbone.</param>
internal sealed record PaperSystem(string Method, string Title, string PublishedName, string? Footnote)
{
    /// <summary>In the paper's order.</summary>
    public static IReadOnlyList<PaperSystem> All { get; } =
    [
        new("spade", "SPADE", "SPADE", null),
        new("patchcore", "PatchCore", "PatchCore", null),
        new("winclip", "WinCLIP+", "WinCLIP", null),
        new("aprilgan", "APRIL-GAN", "APRIL-GAN",
            "The authors scale the maps' maxima between the least and the largest of all test images of a product (transductive), "
            + "and train the layers on another data set's test images with its masks. Here an image is scored alone, "
            + "and the layers are trained on the product's own good images with synthetic defects."),
        new("anomalygpt", "AnomalyGPT", "AnomalyGPT",
            "Its image branches alone: the language model is not here, nor the decoder that was trained along with it."),
        new("promptad", "PromptAD", "PromptAD",
            "The authors keep the epoch that is best on the test images, for maps and scores apart. Here the last epoch counts."),
        new("kag", "KAG-prompt", "KAG-prompt",
            "Published are figures of single draws of the support images, without a deviation. Here they are means over the draws. "
            + "The authors train the prompt on another data set, which is --train-on with --epochs."),
    ];
}
