namespace Microsoft.ML.KagPrompt;

/// <summary>Which of a product's normal images an evaluation takes as supports.</summary>
public enum SupportDraw
{
    /// <summary>Drawn at random, by seeds, as often as the protocol says. The default.</summary>
    Random,

    /// <summary>
    /// The four that KAG-prompt's authors took, whose published figures are of this one draw: of the training images in order, the 13th
    /// to the 16th; of data laid out as VisA, the 57th to the 60th of its table's rows.
    /// </summary>
    Paper,
}
