namespace Microsoft.ML.KagPrompt.Cli.Evaluation;

/// <summary>A system of the paper's Table 1.</summary>
/// <param name="Method">Its name here.</param>
/// <param name="Title">As it is called in tables.</param>
/// <param name="PublishedName">As the paper's table calls it.</param>
/// <param name="Footnote">What of it cannot be as it was published; null: nothing but the backbone.</param>
/// <param name="Setup">What of the authors' setup is not repeated, on a backbone of its own either.</param>
internal sealed record PaperSystem(string Method, string Title, string PublishedName, string? Footnote, string Setup)
{
    private static readonly ScoreFusion Fusion = new();

    /// <summary>In the paper's order.</summary>
    public static IReadOnlyList<PaperSystem> All { get; } =
    [
        new("spade", "SPADE", "SPADE", null,
            "The authors' code brings the shorter side to 256 pixels with Lanczos' filter and cuts 224 out of the middle. Here images are "
            + "stretched to the backbone's size, and reduced by another filter. Their code searches the places of the retrieved images "
            + "by hundreds and loses the rest, and needs five normal images. Here all places are searched, and of fewer images all are "
            + "taken."),
        new("patchcore", "PatchCore", "PatchCore", null,
            "The authors bring the shorter side to 256 pixels and cut 224 out of the middle. Here images are stretched to the "
            + "backbone's size, and reduced by another filter. They thin the bank to 10 % or 1 %. Here all patches of the few normal "
            + "images are kept."),
        new("winclip", "WinCLIP+", "WinCLIP", null,
            "The authors published no code. What is computed is anomalib's, at the size that the backbone was trained at."),
        new("aprilgan", "APRIL-GAN", "APRIL-GAN",
            "The authors scale the maps' maxima between the least and the largest of all test images of a product (transductive), "
            + "and train the layers on another data set's test images with its masks. Here an image is scored alone, "
            + "and the layers are trained on the product's own good images with synthetic defects.",
            "The authors' images have 518 pixels a side, and their tower is run with another activation (exact GELU) than it was "
            + "trained with, which their published heads belong to. Here images have the size that the backbone was trained at, its "
            + "activation is the file's, and heads are trained anew. Their maps are enlarged with corners aligned; here values lie "
            + "where the cells do."),
        new("anomalygpt", "AnomalyGPT", "AnomalyGPT",
            "Its image branches alone: the language model is not here, nor the decoder that was trained along with it.",
            "The authors bring the shorter side to 224 pixels, cut the middle out and compute in half precision. Here images are "
            + "stretched."),
        new("promptad", "PromptAD", "PromptAD",
            "The authors keep the epoch that is best on the test images, for maps and scores apart. Here the last epoch counts.",
            "The authors tell a product's own defects in phrases, and smooth maps of 400 pixels a side. Here are the eight phrases that "
            + "hold for any product, and maps of the backbone's size. Their test images reach the tower with red and blue exchanged, "
            + "after an enlargement to 1024 pixels. Here they are as the supports are."),
        new("kag", "KAG-prompt", "KAG-prompt",
            "Published are figures of single draws of the support images, without a deviation. Here they are means over the draws. "
            + "The authors train the prompt on another data set, which is --train-on with --epochs. Without epochs, on a backbone that "
            + "comes with no prompt, as the default one, the row is the memory bank alone under the library's defaults, and not the "
            + "paper's method.",
            "The library's defaults are not the paper's: the bank also looks in each patch's own place "
            + FormattableString.Invariant($"(NearWeight {Fusion.NearWeight}; the paper {ScoreFusion.Paper.NearWeight}), the score ")
            + FormattableString.Invariant($"averages more of the map (TopK {Fusion.TopK}; the paper {ScoreFusion.Paper.TopK}) ")
            + FormattableString.Invariant($"less what lies around each value (LocalContrast {Fusion.LocalContrast}; the paper ")
            + FormattableString.Invariant($"{ScoreFusion.Paper.LocalContrast}), a coreset of the patches is searched ")
            + FormattableString.Invariant($"(Share {new CoresetOptions().Share}; the paper all), and ")
            + $"supports enter turned and mirrored, too (Views {new MemoryOptions().Views}; the paper {SupportViews.AsGiven})."),
    ];
}
