namespace Microsoft.ML.KagPrompt;

/// <summary>What was read of a row to be scored.</summary>
/// <param name="Image">Its picture; null where there is none to be had.</param>
/// <param name="ClassName">Its class; null: the only one.</param>
/// <param name="Origin">What to call it in messages: its number, the column, and its path where a text tells it.</param>
/// <param name="Error">Why there is no picture; null where there is one.</param>
internal sealed record RowInput(PixelBuffer? Image, string? ClassName, string Origin, string? Error = null)
{
    /// <summary>Columns and rows that the picture had before it was brought to the model's size.</summary>
    public (int Width, int Height) Size { get; init; }

    /// <summary>The picture as it was, where it is drawn over; of the others no more is kept than the network sees.</summary>
    public PixelBuffer? Whole { get; init; }
}
