namespace Microsoft.ML.KagPrompt;

/// <summary>What was read of a row to be scored.</summary>
/// <param name="Image">Its picture; null where there is none to be had.</param>
/// <param name="ClassName">Its class; null: the only one.</param>
/// <param name="Origin">What to call it in messages: its number, the column, and its path where a text tells it.</param>
/// <param name="Error">Why there is no picture; null where there is one.</param>
internal sealed record RowInput(PixelBuffer? Image, string? ClassName, string Origin, string? Error = null);
